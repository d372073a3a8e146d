package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;

/**
 * Float32 with tokens along the lanes: for each {@link Gemm#K} columns, for each panel of {@link
 * Gemm#PANEL} tokens, {@code [column][token]}; absent tokens are 0.
 */
final class TransposedPacking implements Packing {
  static final TransposedPacking INSTANCE = new TransposedPacking();

  private TransposedPacking() {}

  /** Tokens rounded up to whole panels. */
  private static int padded(int tokens) {
    return (tokens + Gemm.PANEL - 1) & -Gemm.PANEL;
  }

  /**
   * Address of the panel of token {@code token} in the chunk of {@code k} columns from {@code col}.
   */
  static long panel(long packed, int tokens, int token, int col, int k) {
    return packed + 4L * ((long) col * padded(tokens) + (long) token * k);
  }

  @Override
  public long bytes(int tokens, int cols) {
    return 4L * cols * padded(tokens);
  }

  @Override
  public int unitCols() {
    return Gemm.K;
  }

  @Override
  public void pack(PackCall call) {
    for (int col = call.fromCol; col < call.toCol; col += Gemm.K) {
      int k = Math.min(Gemm.K, call.toCol - col);
      for (int token = 0; token < padded(call.tokens); token += Gemm.PANEL) {
        packPanel(call, token, col, k);
      }
    }
  }

  private static void packPanel(PackCall call, int token, int col, int k) {
    long to = panel(call.packed, call.tokens, token, col, k);
    int tokens = Math.min(Gemm.PANEL, call.tokens - token);
    for (int t = 0; t < tokens; t++) {
      long x = call.x + 4L * ((long) (token + t) * call.cols + col);
      for (int i = 0; i < k; i++) {
        Memory.i32(to + (long) i * Gemm.PANEL_BYTES + 4L * t, Memory.i32(x + 4L * i));
      }
    }
    for (int t = tokens; t < Gemm.PANEL; t++) {
      for (int i = 0; i < k; i++) {
        Memory.i32(to + (long) i * Gemm.PANEL_BYTES + 4L * t, 0);
      }
    }
  }
}
