package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;

/**
 * {@code C += A B} in float32, for operands already in cache: A is {@code [rows, k]}, each row
 * {@link #A_STRIDE} bytes from the next and k at most {@link #K}; B and C are cut into panels of
 * {@link #PANEL} columns, B as {@code [panel][k][PANEL]}, C as rows of whole panels.
 *
 * <p>A tile of eight rows (four at 256 bits, where there may be 16 registers only) and one panel of
 * two vectors stays in registers. 24 sums instead of 16 would need fewer loads, but C2 then gives
 * up inlining and puts vectors on the heap: 45 instead of 175 Gop/s.
 */
final class Gemm {
  /** Largest inner dimension of a call. */
  static final int K = 256;

  /** Bytes from a row of A to the next; a constant, so that C2 folds the bounds checks. */
  static final int A_STRIDE = 4 * K;

  /** Columns of a panel: two vectors. */
  static final int PANEL = 2 * N;

  /** Bytes of a row of a panel. */
  static final int PANEL_BYTES = 4 * PANEL;

  private static final int TILE_ROWS = Lanes.BITS == 256 ? 4 : 8;

  private Gemm() {}

  /**
   * {@code C += A B}.
   *
   * @param cStride bytes from a row of C to the next
   */
  static void multiply(long a, int rows, int k, long b, int panels, long c, long cStride) {
    for (int panel = 0; panel < panels; panel++) {
      int r = 0;
      if (TILE_ROWS == 8) {
        for (; r + 8 <= rows; r += 8) {
          tile8(a + (long) r * A_STRIDE, b, c + r * cStride, cStride, k);
        }
      }
      for (; r + 4 <= rows; r += 4) {
        tile4(a + (long) r * A_STRIDE, b, c + r * cStride, cStride, k);
      }
      for (; r < rows; r++) {
        tile1(a + (long) r * A_STRIDE, b, c + r * cStride, k);
      }
      b += (long) k * PANEL_BYTES;
      c += PANEL_BYTES;
    }
  }

  private static void tile8(long a, long b, long c, long cStride, int k) {
    FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, c & MASK, LE);
    FloatVector c01 = FloatVector.fromMemorySegment(F, ALL, c + BYTES & MASK, LE);
    FloatVector c10 = FloatVector.fromMemorySegment(F, ALL, c + cStride & MASK, LE);
    FloatVector c11 = FloatVector.fromMemorySegment(F, ALL, c + cStride + BYTES & MASK, LE);
    FloatVector c20 = FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride & MASK, LE);
    FloatVector c21 = FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride + BYTES & MASK, LE);
    FloatVector c30 = FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride & MASK, LE);
    FloatVector c31 = FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride + BYTES & MASK, LE);
    FloatVector c40 = FloatVector.fromMemorySegment(F, ALL, c + 4 * cStride & MASK, LE);
    FloatVector c41 = FloatVector.fromMemorySegment(F, ALL, c + 4 * cStride + BYTES & MASK, LE);
    FloatVector c50 = FloatVector.fromMemorySegment(F, ALL, c + 5 * cStride & MASK, LE);
    FloatVector c51 = FloatVector.fromMemorySegment(F, ALL, c + 5 * cStride + BYTES & MASK, LE);
    FloatVector c60 = FloatVector.fromMemorySegment(F, ALL, c + 6 * cStride & MASK, LE);
    FloatVector c61 = FloatVector.fromMemorySegment(F, ALL, c + 6 * cStride + BYTES & MASK, LE);
    FloatVector c70 = FloatVector.fromMemorySegment(F, ALL, c + 7 * cStride & MASK, LE);
    FloatVector c71 = FloatVector.fromMemorySegment(F, ALL, c + 7 * cStride + BYTES & MASK, LE);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, q, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE);
      FloatVector a0 = FloatVector.broadcast(F, Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(F, Memory.f32(p + A_STRIDE));
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(F, Memory.f32(p + 2 * A_STRIDE));
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(F, Memory.f32(p + 3 * A_STRIDE));
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      FloatVector a4 = FloatVector.broadcast(F, Memory.f32(p + 4 * A_STRIDE));
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = FloatVector.broadcast(F, Memory.f32(p + 5 * A_STRIDE));
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = FloatVector.broadcast(F, Memory.f32(p + 6 * A_STRIDE));
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = FloatVector.broadcast(F, Memory.f32(p + 7 * A_STRIDE));
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
    }
    c00.intoMemorySegment(ALL, c & MASK, LE);
    c01.intoMemorySegment(ALL, c + BYTES & MASK, LE);
    c10.intoMemorySegment(ALL, c + cStride & MASK, LE);
    c11.intoMemorySegment(ALL, c + cStride + BYTES & MASK, LE);
    c20.intoMemorySegment(ALL, c + 2 * cStride & MASK, LE);
    c21.intoMemorySegment(ALL, c + 2 * cStride + BYTES & MASK, LE);
    c30.intoMemorySegment(ALL, c + 3 * cStride & MASK, LE);
    c31.intoMemorySegment(ALL, c + 3 * cStride + BYTES & MASK, LE);
    c40.intoMemorySegment(ALL, c + 4 * cStride & MASK, LE);
    c41.intoMemorySegment(ALL, c + 4 * cStride + BYTES & MASK, LE);
    c50.intoMemorySegment(ALL, c + 5 * cStride & MASK, LE);
    c51.intoMemorySegment(ALL, c + 5 * cStride + BYTES & MASK, LE);
    c60.intoMemorySegment(ALL, c + 6 * cStride & MASK, LE);
    c61.intoMemorySegment(ALL, c + 6 * cStride + BYTES & MASK, LE);
    c70.intoMemorySegment(ALL, c + 7 * cStride & MASK, LE);
    c71.intoMemorySegment(ALL, c + 7 * cStride + BYTES & MASK, LE);
  }

  private static void tile4(long a, long b, long c, long cStride, int k) {
    FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, c & MASK, LE);
    FloatVector c01 = FloatVector.fromMemorySegment(F, ALL, c + BYTES & MASK, LE);
    FloatVector c10 = FloatVector.fromMemorySegment(F, ALL, c + cStride & MASK, LE);
    FloatVector c11 = FloatVector.fromMemorySegment(F, ALL, c + cStride + BYTES & MASK, LE);
    FloatVector c20 = FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride & MASK, LE);
    FloatVector c21 = FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride + BYTES & MASK, LE);
    FloatVector c30 = FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride & MASK, LE);
    FloatVector c31 = FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride + BYTES & MASK, LE);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, q, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE);
      FloatVector a0 = FloatVector.broadcast(F, Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(F, Memory.f32(p + A_STRIDE));
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(F, Memory.f32(p + 2 * A_STRIDE));
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(F, Memory.f32(p + 3 * A_STRIDE));
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    c00.intoMemorySegment(ALL, c & MASK, LE);
    c01.intoMemorySegment(ALL, c + BYTES & MASK, LE);
    c10.intoMemorySegment(ALL, c + cStride & MASK, LE);
    c11.intoMemorySegment(ALL, c + cStride + BYTES & MASK, LE);
    c20.intoMemorySegment(ALL, c + 2 * cStride & MASK, LE);
    c21.intoMemorySegment(ALL, c + 2 * cStride + BYTES & MASK, LE);
    c30.intoMemorySegment(ALL, c + 3 * cStride & MASK, LE);
    c31.intoMemorySegment(ALL, c + 3 * cStride + BYTES & MASK, LE);
  }

  private static void tile1(long a, long b, long c, int k) {
    FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, c & MASK, LE);
    FloatVector c01 = FloatVector.fromMemorySegment(F, ALL, c + BYTES & MASK, LE);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, q, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE);
      FloatVector a0 = FloatVector.broadcast(F, Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
    }
    c00.intoMemorySegment(ALL, c & MASK, LE);
    c01.intoMemorySegment(ALL, c + BYTES & MASK, LE);
  }
}
