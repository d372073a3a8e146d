package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import java.util.List;

/** Steps of two sequences of a {@link TinyModel}, to compare two ways to run it. */
public final class TwoSequences {
  /** For {@link #lastRows}: few enough tokens, two rows of logits. */
  public static final Capacity CAPACITY =
      new Capacity(80, 2, 2, 64, 8, List.of(16, 16), KvType.F16);

  /** Positions of steps: a prompt, tokens alone, two at once, a long prompt. */
  public static List<int[]> chunks() {
    return List.of(
        new int[] {0, 9},
        new int[] {9, 10},
        new int[] {10, 11},
        new int[] {11, 13},
        new int[] {13, 53});
  }

  private TwoSequences() {}

  /** The last rows of two sequences whose positions {@code from .. to} run together. */
  public static float[][] lastRows(Executable executable, int from, int to) {
    var step = new Step(executable.capacity());
    step.clear();
    for (int s = 0; s < 2; s++) {
      int[] table = new int[8];
      int[] other = new int[8];
      for (int i = 0; i < table.length; i++) {
        table[i] = 2 * i + s;
        other[i] = 15 - table[i];
      }
      step.beginSequence(new int[][] {table, other});
      for (int p = from; p < to; p++) {
        step.addToken((7 * p + 3 * s) % TinyModel.VOCABULARY, p, p == to - 1);
      }
    }
    executable.run(step);
    float[][] logits = new float[2][executable.vocabularySize()];
    for (int s = 0; s < 2; s++) {
      executable.logits(s, logits[s]);
    }
    return logits;
  }
}
