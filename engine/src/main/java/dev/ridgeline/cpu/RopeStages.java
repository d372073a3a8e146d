package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.vector.Rows;
import dev.ridgeline.graph.RopeParams;

/**
 * Rotary position embedding. The cosines and sines of a step's positions are computed once, by the
 * first stage, and used by every layer.
 */
final class RopeStages {
  private RopeStages() {}

  /** Bytes of the table for {@code tokens} tokens. */
  static long tableBytes(RopeParams params, int tokens) {
    return Products.aligned(4L * params.dims() * tokens);
  }

  /**
   * Fills {@code table[t]} with {@code dims / 2} cosines and as many sines.
   *
   * @param frequencies radians a position
   */
  @SuppressWarnings("ArrayRecordComponent") // private to this package, never compared
  record Table(double[] frequencies, double magnitude, long table) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int pairs = frequencies.length;
      int end = worker.to(step.tokenCount(), 1);
      for (int t = worker.from(step.tokenCount(), 1); t < end; t++) {
        long row = table + 8L * pairs * t;
        for (int i = 0; i < pairs; i++) {
          double theta = step.position(t) * frequencies[i];
          Memory.f32(row + 4L * i, (float) (Math.cos(theta) * magnitude));
          Memory.f32(row + 4L * (pairs + i), (float) (Math.sin(theta) * magnitude));
        }
      }
    }
  }

  /** Rotates every head of x by its token's row of the table. */
  record Rotate(long x, int width, RopeParams params, long table, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int headDim = params.headDim();
      int heads = width / headDim;
      int end = worker.to(step.tokenCount() * heads, 1);
      for (int i = worker.from(step.tokenCount() * heads, 1); i < end; i++) {
        long at = 4L * i * headDim;
        rotate(x + at, table + 4L * params.dims() * (i / heads), out + at);
      }
    }

    private void rotate(long head, long row, long to) {
      int pairs = params.dims() / 2;
      switch (params.layout()) {
        case NEOX -> Rows.ropeNeox(head, row, pairs, to);
        case NORM -> Rows.ropeNorm(head, row, pairs, to);
      }
      int rest = params.headDim() - params.dims();
      if (rest > 0) {
        Memory.copy(head + 4L * params.dims(), to + 4L * params.dims(), 4L * rest);
      }
    }
  }
}
