package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;

/**
 * Float32 as {@code [columns / 512][token][512]}, the last columns filled up with zeros: a tile's
 * tokens stand side by side, whatever the length of their rows, and do not compete for the same
 * sets of a cache.
 */
final class BlockPacking implements Packing {
  static final BlockPacking INSTANCE = new BlockPacking();

  private BlockPacking() {}

  /** Address of column {@code col}, a multiple of 512, of token 0; others are a stride apart. */
  static long block(long packed, int tokens, int col) {
    return packed + 4L * tokens * col;
  }

  @Override
  public long bytes(int tokens, int cols) {
    return (long) tokens * ((cols + Dots.COLUMNS - 1) / Dots.COLUMNS) * Dots.STRIDE;
  }

  @Override
  public int unitCols() {
    return Dots.COLUMNS;
  }

  @Override
  public void pack(PackCall call) {
    for (int col = call.fromCol; col < call.toCol; col += Dots.COLUMNS) {
      long bytes = 4L * Math.min(Dots.COLUMNS, call.toCol - col);
      long to = block(call.packed, call.tokens, col);
      for (int t = 0; t < call.tokens; t++) {
        Memory.copy(call.x + 4L * ((long) t * call.cols + col), to, bytes);
        if (bytes < Dots.STRIDE) {
          Memory.zero(to + bytes, Dots.STRIDE - bytes);
        }
        to += Dots.STRIDE;
      }
    }
  }
}
