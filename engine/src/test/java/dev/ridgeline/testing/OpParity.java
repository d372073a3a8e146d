package dev.ridgeline.testing;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.reference.ReferenceBackend;
import java.lang.ref.Reference;

/** Runs op cases on a backend and compares every element with the reference's. */
public final class OpParity {
  private OpParity() {}

  /**
   * Runs {@code c} on the reference and on each of {@code backends}.
   *
   * @throws AssertionError naming the element furthest beyond its bound, if one is
   */
  public static void check(OpCase c, Backend... backends) {
    OpCase.Setup setup = c.setup();
    float[][] expected = results(new ReferenceBackend(), setup);
    for (Backend backend : backends) {
      compare(c.name() + " on " + backend.description(), setup, expected, results(backend, setup));
    }
  }

  /** The outputs of each pass, one after the other. */
  private static float[][] results(Backend backend, OpCase.Setup setup) {
    float[][] results = new float[setup.passes().size()][];
    try (Executable executable = backend.compile(setup.graph(), setup::tensor, setup.capacity())) {
      int width = executable.vocabularySize();
      float[] row = new float[width];
      var step = new Step(setup.capacity());
      for (int pass = 0; pass < results.length; pass++) {
        fill(step, setup, pass);
        executable.run(step);
        results[pass] = new float[step.outputCount() * width];
        for (int o = 0; o < step.outputCount(); o++) {
          executable.logits(o, row);
          System.arraycopy(row, 0, results[pass], o * width, width);
        }
      }
    } finally {
      Reference.reachabilityFence(setup);
    }
    return results;
  }

  /**
   * Puts pass {@code pass} of a case into {@code step}. Blocks of a sequence are scattered over the
   * pool; those wholly before the window are {@link Step#FREED}.
   */
  public static void fill(Step step, OpCase.Setup setup, int pass) {
    OpCase.Pass p = setup.passes().get(pass);
    step.clear();
    int row = 0;
    for (OpCase.Run run : p.runs()) {
      step.beginSequence(blockTables(setup, run));
      for (int i = 0; i < run.count(); i++) {
        step.addToken(run.firstToken() + i, run.position() + i, row++ % p.outputEvery() == 0);
      }
    }
  }

  private static int[][] blockTables(OpCase.Setup setup, OpCase.Run run) {
    Capacity capacity = setup.capacity();
    int[][] tables = new int[capacity.kvBlocks().size()][];
    for (int group = 0; group < tables.length; group++) {
      int window = setup.graph().kvGroups().get(group);
      int freed = StepCheck.firstVisible(run.position(), window) / capacity.blockTokens();
      int pool = capacity.kvBlocks().get(group);
      tables[group] = new int[capacity.blocksPerSequence()];
      for (int i = 0; i < tables[group].length; i++) {
        int order = i * capacity.maxSequences() + run.sequence();
        tables[group][i] = i < freed ? Step.FREED : scattered(order, pool);
      }
    }
    return tables;
  }

  /**
   * A permutation of {@code 0..pool - 1}: a multiple of an odd step, made coprime with the pool.
   */
  private static int scattered(int order, int pool) {
    int stride = 7;
    while (gcd(stride, pool) != 1) {
      stride++;
    }
    return (int) ((long) order * stride % pool);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static void compare(
      String where, OpCase.Setup setup, float[][] expected, float[][] found) {
    int width = setup.graph().logits().width();
    var step = new Step(setup.capacity());
    double worst = 1;
    String message = null;
    for (int pass = 0; pass < expected.length; pass++) {
      fill(step, setup, pass);
      for (int i = 0; i < expected[pass].length; i++) {
        int row = step.outputRow(i / width);
        float want = expected[pass][i];
        double bound =
            setup.bound().at(step.token(row), step.position(row), i % width, want)
                + Float.MIN_NORMAL;
        double excess = Math.abs((double) found[pass][i] - want) / bound;
        if (!(excess <= worst)) {
          worst = excess;
          message =
              "%s, pass %d (%d tokens), row %d, element %d: expected %s within %s, found %s"
                  .formatted(
                      where, pass, step.tokenCount(), row, i % width, want, bound, found[pass][i]);
        }
      }
    }
    if (message != null) {
      throw new AssertionError(message);
    }
  }
}
