package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;

/**
 * Products of many tokens: lanes are tokens. A tile of rows is decoded to float32 once for up to
 * {@link #MAX_TOKENS} tokens and multiplied with panels of their transposed activations.
 */
final class TileKernel implements ProductKernel {
  private static final int ROWS = 64;
  private static final int MAX_TOKENS = 256;
  private static final long A_BYTES = (long) ROWS * Gemm.A_STRIDE;
  private static final long C_STRIDE = 4L * MAX_TOKENS;

  private final DType type;
  private final RowDecoder decoder;
  private final int minTokens;

  TileKernel(DType type, int minTokens) {
    this.type = type;
    this.decoder = RowDecoder.of(type);
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
    return TransposedPacking.INSTANCE;
  }

  @Override
  public int rowUnit() {
    return 8;
  }

  @Override
  public long scratchBytes(int cols) {
    return A_BYTES + ROWS * C_STRIDE;
  }

  @Override
  public void multiply(ProductCall call) {
    for (int token = 0; token < call.tokens; token += MAX_TOKENS) {
      int tokens = Math.min(MAX_TOKENS, call.tokens - token);
      for (int row = 0; row < call.rows; row += ROWS) {
        multiplyTile(call, row, Math.min(ROWS, call.rows - row), token, tokens);
      }
    }
  }

  private void multiplyTile(ProductCall call, int row, int rows, int token, int tokens) {
    int panels = (tokens + Gemm.PANEL - 1) / Gemm.PANEL;
    long a = call.scratch;
    long c = a + A_BYTES;
    Memory.zero(c, rows * C_STRIDE);
    for (int col = 0; col < call.cols; col += Gemm.K) {
      int k = Math.min(Gemm.K, call.cols - col);
      long weights = call.weights + row * call.rowBytes + type.bytes(col);
      for (int r = 0; r < rows; r++) {
        decoder.decode(weights + r * call.rowBytes, a + (long) r * Gemm.A_STRIDE, k);
      }
      long b = TransposedPacking.panel(call.packed, call.tokens, token, col, k);
      Gemm.multiply(a, rows, k, b, panels, c, C_STRIDE);
    }
    for (int t = 0; t < tokens; t++) {
      long out = call.out + (token + t) * call.outStride + 4L * row;
      for (int r = 0; r < rows; r++) {
        Memory.f32(out + 4L * r, Memory.f32(c + r * C_STRIDE + 4L * t));
      }
    }
  }
}
