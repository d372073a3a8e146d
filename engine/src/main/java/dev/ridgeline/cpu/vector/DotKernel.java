package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.N;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;

/**
 * Products of few tokens, which take as long as reading the weights: row by row, in one sequential
 * stream, decoded on the way, with activations as they are.
 */
final class DotKernel implements ProductKernel {
  private final DType type;
  private final WeightRow row;
  private final int maxTokens;

  DotKernel(DType type, int maxTokens) {
    this.type = type;
    this.row = WeightRow.of(type);
    this.maxTokens = maxTokens;
  }

  @Override
  public String name() {
    return "vector" + Lanes.BITS + " dot " + type;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public int minTokens() {
    return 1;
  }

  @Override
  public int maxTokens() {
    return maxTokens;
  }

  @Override
  public Packing packing() {
    return Packing.NONE;
  }

  @Override
  public int rowUnit() {
    return 1;
  }

  @Override
  public long scratchBytes(int cols) {
    return WeightRow.SCRATCH_BYTES;
  }

  @Override
  public void multiply(ProductCall call) {
    int whole = call.cols & -N;
    long sums = call.scratch;
    for (int r = 0; r < call.rows; r++) {
      long weights = call.weights + r * call.rowBytes;
      for (int t = 0; t < call.tokens; t++) {
        long x = call.packed + 4L * t * call.cols;
        row.dot(weights, x, call.cols, sums);
        if (whole < call.cols) {
          tail(weights, x, whole, call.cols - whole, sums);
        }
        Memory.f32(call.out + t * call.outStride + 4L * r, Dots.fold(sums, sums + BYTES));
      }
    }
  }

  /** Adds the last, incomplete vector, filled up with zeros. Formats with blocks have none. */
  private void tail(long weights, long x, int whole, int count, long sums) {
    long w = sums + WeightRow.CODES;
    long rest = sums + WeightRow.TAIL;
    Memory.zero(w, BYTES);
    Memory.zero(rest, BYTES);
    row.decode(weights + type.bytes(whole), w, count, sums);
    Memory.copy(x + 4L * whole, rest, 4L * count);
    Dots.row(w, rest, BYTES, sums + (whole / N & 1) * BYTES);
  }
}
