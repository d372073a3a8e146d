package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.kernel.GateKernel;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Value;

/** Products of one input: packed by one stage, multiplied by the next. */
final class ProductStages {
  /** Rows of a gated product that are finished at a time, so that they are still in cache. */
  private static final int GATED_ROWS = 64;

  private ProductStages() {}

  /** Packs the input. */
  record Pack(Products products, Value.Rows rows) implements Stage {
    @Override
    public boolean idle(Step step) {
      int tokens = Stage.rows(rows, step);
      return tokens == 0 || !products.needsPacking(tokens);
    }

    @Override
    public void run(Worker worker, Step step) {
      products.pack(worker, Stage.rows(rows, step));
    }
  }

  /** {@link dev.ridgeline.graph.Op.MatMul}. */
  record Multiply(Products products, Value.Rows rows) implements Stage {
    @Override
    public boolean idle(Step step) {
      return Stage.rows(rows, step) == 0;
    }

    @Override
    public void run(Worker worker, Step step) {
      products.multiply(worker, Stage.rows(rows, step));
    }
  }

  /** Bytes of scratch that {@link Gated} needs beside its kernels'. */
  static long gatedBytes(int tokens) {
    return 4L * tokens * GATED_ROWS;
  }

  /**
   * {@link dev.ridgeline.graph.Op.GatedMatMul}: matrix 0 is the gate, matrix 1 is up; both have
   * {@code width} rows.
   *
   * @param kernelBytes scratch that belongs to the kernels
   */
  record Gated(
      Products products,
      GateKernel kernel,
      Activation activation,
      int width,
      Value.Rows rows,
      long out,
      long kernelBytes)
      implements Stage {
    @Override
    public boolean idle(Step step) {
      return Stage.rows(rows, step) == 0;
    }

    @Override
    public void run(Worker worker, Step step) {
      int tokens = Stage.rows(rows, step);
      int unit = products.rowUnit(tokens);
      int band = Math.max(unit, GATED_ROWS / unit * unit);
      for (int p = worker.firstPiece(); p < worker.pieces(); p = worker.nextPiece()) {
        int end = rowAt(worker, unit, p + 1);
        for (int from = rowAt(worker, unit, p); from < end; from += band) {
          multiply(worker, tokens, from, Math.min(end, from + band));
        }
      }
    }

    private int rowAt(Worker worker, int unit, int piece) {
      int row = (int) worker.pieceAt(width, piece);
      return row == width ? width : row / unit * unit;
    }

    private void multiply(Worker worker, int tokens, int from, int to) {
      long up = worker.scratch + kernelBytes;
      long upStride = 4L * GATED_ROWS;
      long outStride = 4L * width;
      products.multiply(worker, 0, tokens, from, to, out, outStride);
      products.multiply(worker, 1, tokens, from, to, up - 4L * from, upStride);
      for (int t = 0; t < tokens; t++) {
        long gate = out + t * outStride + 4L * from;
        kernel.gate(activation, gate, up + t * upStride, gate, to - from);
      }
    }
  }
}
