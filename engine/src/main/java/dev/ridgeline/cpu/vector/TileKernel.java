package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.N;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;

/**
 * Products of many tokens: a tile of rows is decoded to float32 once for up to {@link #MAX_TOKENS}
 * tokens, 512 columns at a time. Every row and token adds up as {@link Dots} says, so that results
 * are those of {@link DotKernel}, bit for bit.
 */
final class TileKernel implements ProductKernel {
  private static final int ROWS = 8;
  private static final int MAX_TOKENS = 128;
  private static final long WEIGHT_BYTES = (long) ROWS * Dots.STRIDE;

  /** Sums of a row and a token: two vectors. */
  private static final long PAIR_BYTES = 2L * BYTES;

  private final DType type;
  private final WeightRow row;
  private final int minTokens;

  TileKernel(DType type, int minTokens) {
    this.type = type;
    this.row = WeightRow.of(type);
    this.minTokens = minTokens;
  }

  @Override
  public String name() {
    return "vector" + Lanes.BITS + " tile " + type;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public int minTokens() {
    return minTokens;
  }

  @Override
  public int maxTokens() {
    return Integer.MAX_VALUE;
  }

  @Override
  public Packing packing() {
    return BlockPacking.INSTANCE;
  }

  @Override
  public int rowUnit() {
    return ROWS;
  }

  @Override
  public long scratchBytes(int cols) {
    return WeightRow.SCRATCH_BYTES + WEIGHT_BYTES + ROWS * MAX_TOKENS * PAIR_BYTES;
  }

  @Override
  public void multiply(ProductCall call) {
    for (int token = 0; token < call.tokens; token += MAX_TOKENS) {
      int tokens = Math.min(MAX_TOKENS, call.tokens - token);
      for (int r = 0; r < call.rows; r += ROWS) {
        multiplyTile(call, r, Math.min(ROWS, call.rows - r), token, tokens);
      }
    }
  }

  private void multiplyTile(ProductCall call, int firstRow, int rows, int token, int tokens) {
    long w = call.scratch + WeightRow.SCRATCH_BYTES;
    long sums = w + WEIGHT_BYTES;
    int groups = (rows + 3) / 4;
    Memory.zero(sums, groups * tokens * 4 * PAIR_BYTES);
    for (int col = 0; col < call.cols; col += Dots.COLUMNS) {
      int n = Math.min(Dots.COLUMNS, call.cols - col);
      for (int r = 0; r < rows; r++) {
        decode(call, firstRow + r, col, n, w + r * (long) Dots.STRIDE);
      }
      long x = BlockPacking.block(call.packed, call.tokens, col) + token * (long) Dots.STRIDE;
      int bytes = 4 * ((n + N - 1) & -N);
      for (int t = 0; t < tokens; ) {
        int width = t + 4 <= tokens ? 4 : 1;
        for (int g = 0; g < groups; g++) {
          long to = sums + (t * (long) groups + g * width) * 4 * PAIR_BYTES;
          multiply(w + g * 4L * Dots.STRIDE, x + t * (long) Dots.STRIDE, bytes, to, width);
        }
        t += width;
      }
    }
    fold(call, firstRow, rows, token, tokens, sums);
  }

  /** Decodes {@code n} columns of a row and fills the last vector up with zeros. */
  private void decode(ProductCall call, int r, int col, int n, long to) {
    long from = call.weights + r * call.rowBytes + type.bytes(col);
    row.decode(from, to, n, call.scratch);
    int missing = -n & N - 1;
    if (missing > 0) {
      Memory.zero(to + 4L * n, 4L * missing);
    }
  }

  /** Both sums of four rows times four tokens, or one: first all first sums, then all second. */
  private static void multiply(long w, long x, int bytes, long sums, int tokens) {
    if (tokens == 4) {
      Dots.tile4x4(w, x, bytes, sums);
      Dots.tile4x4(w + BYTES, x + BYTES, bytes - BYTES, sums + 16 * BYTES);
    } else {
      Dots.tile4x1(w, x, bytes, sums);
      Dots.tile4x1(w + BYTES, x + BYTES, bytes - BYTES, sums + 4 * BYTES);
    }
  }

  private static void fold(
      ProductCall call, int firstRow, int rows, int token, int tokens, long sums) {
    int groups = (rows + 3) / 4;
    for (int t = 0; t < tokens; ) {
      int width = t + 4 <= tokens ? 4 : 1;
      for (int r = 0; r < rows; r++) {
        long group = sums + (t * (long) groups + (r >> 2) * width) * 4 * PAIR_BYTES;
        for (int i = 0; i < width; i++) {
          long sum = group + ((r & 3) * width + i) * (long) BYTES;
          long out = call.out + (token + t + i) * call.outStride + 4L * (firstRow + r);
          Memory.f32(out, Dots.fold(sum, sum + 4L * width * BYTES));
        }
      }
      t += width;
    }
  }
}
