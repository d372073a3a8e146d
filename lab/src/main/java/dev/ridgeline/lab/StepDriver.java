package dev.ridgeline.lab;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Graph;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Drives an executable by hand, without scheduler, tokenizer or sampler: one sequence with blocks
 * of its own and random tokens, so that a measurement times the model alone.
 */
final class StepDriver {
  private final Executable executable;
  private final Step step;
  private final int[][] blockTables;
  private final SplittableRandom tokens = new SplittableRandom(7);
  private int position;

  StepDriver(Graph graph, Executable executable) {
    this.executable = executable;
    Capacity capacity = executable.capacity();
    step = new Step(capacity);
    blockTables =
        graph.kvGroups().stream()
            .map(_ -> IntStream.range(0, capacity.blocksPerSequence()).toArray())
            .toArray(int[][]::new);
  }

  /** Starts an empty sequence. */
  void reset() {
    position = 0;
  }

  /** Runs {@code count} more tokens as a prompt, in steps as large as the capacity allows. */
  void prompt(int count) {
    for (int left = count; left > 0; ) {
      int now = Math.min(left, executable.capacity().maxTokens());
      left -= now;
      run(now, left == 0);
    }
  }

  /** Runs {@code count} more tokens one by one, taking the best next token of each. */
  void generate(int count) {
    for (int i = 0; i < count; i++) {
      run(1, true);
      int _ = executable.argmax(0);
    }
  }

  private void run(int count, boolean output) {
    step.clear();
    step.beginSequence(blockTables);
    for (int i = 0; i < count; i++) {
      int token = tokens.nextInt(executable.vocabularySize());
      step.addToken(token, position++, output && i == count - 1);
    }
    executable.run(step);
  }
}
