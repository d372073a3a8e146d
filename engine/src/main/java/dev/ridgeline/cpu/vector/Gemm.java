package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.broadcast;
import static dev.ridgeline.cpu.vector.Lanes.load;

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
    FloatVector c00 = load(c);
    FloatVector c01 = load(c + BYTES);
    FloatVector c10 = load(c + cStride);
    FloatVector c11 = load(c + cStride + BYTES);
    FloatVector c20 = load(c + 2 * cStride);
    FloatVector c21 = load(c + 2 * cStride + BYTES);
    FloatVector c30 = load(c + 3 * cStride);
    FloatVector c31 = load(c + 3 * cStride + BYTES);
    FloatVector c40 = load(c + 4 * cStride);
    FloatVector c41 = load(c + 4 * cStride + BYTES);
    FloatVector c50 = load(c + 5 * cStride);
    FloatVector c51 = load(c + 5 * cStride + BYTES);
    FloatVector c60 = load(c + 6 * cStride);
    FloatVector c61 = load(c + 6 * cStride + BYTES);
    FloatVector c70 = load(c + 7 * cStride);
    FloatVector c71 = load(c + 7 * cStride + BYTES);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = load(q);
      FloatVector b1 = load(q + BYTES);
      FloatVector a0 = broadcast(Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = broadcast(Memory.f32(p + A_STRIDE));
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = broadcast(Memory.f32(p + 2 * A_STRIDE));
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = broadcast(Memory.f32(p + 3 * A_STRIDE));
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      FloatVector a4 = broadcast(Memory.f32(p + 4 * A_STRIDE));
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = broadcast(Memory.f32(p + 5 * A_STRIDE));
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = broadcast(Memory.f32(p + 6 * A_STRIDE));
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = broadcast(Memory.f32(p + 7 * A_STRIDE));
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
    }
    Lanes.store(c00, c);
    Lanes.store(c01, c + BYTES);
    Lanes.store(c10, c + cStride);
    Lanes.store(c11, c + cStride + BYTES);
    Lanes.store(c20, c + 2 * cStride);
    Lanes.store(c21, c + 2 * cStride + BYTES);
    Lanes.store(c30, c + 3 * cStride);
    Lanes.store(c31, c + 3 * cStride + BYTES);
    Lanes.store(c40, c + 4 * cStride);
    Lanes.store(c41, c + 4 * cStride + BYTES);
    Lanes.store(c50, c + 5 * cStride);
    Lanes.store(c51, c + 5 * cStride + BYTES);
    Lanes.store(c60, c + 6 * cStride);
    Lanes.store(c61, c + 6 * cStride + BYTES);
    Lanes.store(c70, c + 7 * cStride);
    Lanes.store(c71, c + 7 * cStride + BYTES);
  }

  private static void tile4(long a, long b, long c, long cStride, int k) {
    FloatVector c00 = load(c);
    FloatVector c01 = load(c + BYTES);
    FloatVector c10 = load(c + cStride);
    FloatVector c11 = load(c + cStride + BYTES);
    FloatVector c20 = load(c + 2 * cStride);
    FloatVector c21 = load(c + 2 * cStride + BYTES);
    FloatVector c30 = load(c + 3 * cStride);
    FloatVector c31 = load(c + 3 * cStride + BYTES);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = load(q);
      FloatVector b1 = load(q + BYTES);
      FloatVector a0 = broadcast(Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = broadcast(Memory.f32(p + A_STRIDE));
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = broadcast(Memory.f32(p + 2 * A_STRIDE));
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = broadcast(Memory.f32(p + 3 * A_STRIDE));
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    Lanes.store(c00, c);
    Lanes.store(c01, c + BYTES);
    Lanes.store(c10, c + cStride);
    Lanes.store(c11, c + cStride + BYTES);
    Lanes.store(c20, c + 2 * cStride);
    Lanes.store(c21, c + 2 * cStride + BYTES);
    Lanes.store(c30, c + 3 * cStride);
    Lanes.store(c31, c + 3 * cStride + BYTES);
  }

  private static void tile1(long a, long b, long c, int k) {
    FloatVector c00 = load(c);
    FloatVector c01 = load(c + BYTES);
    for (int i = 0; i < k; i++) {
      long p = a + 4L * i & MASK;
      long q = b + (long) i * PANEL_BYTES & MASK;
      FloatVector b0 = load(q);
      FloatVector b1 = load(q + BYTES);
      FloatVector a0 = broadcast(Memory.f32(p));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
    }
    Lanes.store(c00, c);
    Lanes.store(c01, c + BYTES);
  }
}
