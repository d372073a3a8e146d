package dev.ridgeline.testing;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
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
        setup.fill(step, pass);
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

  private static void compare(
      String where, OpCase.Setup setup, float[][] expected, float[][] found) {
    int width = setup.graph().logits().width();
    var step = new Step(setup.capacity());
    double worst = 1;
    String message = null;
    for (int pass = 0; pass < expected.length; pass++) {
      setup.fill(step, pass);
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
