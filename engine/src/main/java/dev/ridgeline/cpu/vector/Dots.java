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
 * Dot products of rows of float32 that are in cache, and the one order in which every product of
 * this package adds up: lanes are neighbouring columns, vector i of a row goes to sum {@code i mod
 * 2}, vectors in ascending order, by fused multiply-adds from zero; then {@link #fold}. A result
 * therefore does not depend on how many tokens or rows a call has.
 *
 * <p>Two sums hide enough latency when one row is read from memory (four were slower there: 11.7
 * instead of 16.7 GB/s on Zen 5), and for many tokens each sum has its own pass over the tile.
 */
final class Dots {
  /** Columns of a tile. */
  static final int COLUMNS = 512;

  /** Bytes from a row of a tile to the next. */
  static final int STRIDE = 4 * COLUMNS;

  private Dots() {}

  /** Sets two sums to zero. */
  static void clear(long sums) {
    FloatVector zero = FloatVector.zero(F);
    zero.intoMemorySegment(ALL, sums & MASK, LE);
    zero.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  /**
   * Adds the products of one row and one token to the two sums at {@code sums}.
   *
   * @param bytes of the row, whole vectors
   */
  static void row(long w, long x, int bytes, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    int i = 0;
    for (; i + 2 * BYTES <= bytes; i += 2 * BYTES) {
      long p = w + i & MASK;
      long q = x + i & MASK;
      FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, p, LE);
      FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, p + BYTES, LE);
      s0 = w0.fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = w1.fma(FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE), s1);
    }
    if (i < bytes) {
      FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, w + i & MASK, LE);
      s0 = w0.fma(FloatVector.fromMemorySegment(F, ALL, x + i & MASK, LE), s0);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  /**
   * Adds every second vector of four rows times four tokens to 16 sums, {@code [row][token]}.
   *
   * @param w rows {@link #STRIDE} bytes apart
   * @param x tokens as far apart
   * @param bytes from the first vector to the end of the rows
   */
  static void tile4x4(long w, long x, int bytes, long sums) {
    long s = sums & MASK;
    FloatVector s00 = FloatVector.fromMemorySegment(F, ALL, s, LE);
    FloatVector s01 = FloatVector.fromMemorySegment(F, ALL, s + BYTES, LE);
    FloatVector s02 = FloatVector.fromMemorySegment(F, ALL, s + 2 * BYTES, LE);
    FloatVector s03 = FloatVector.fromMemorySegment(F, ALL, s + 3 * BYTES, LE);
    FloatVector s10 = FloatVector.fromMemorySegment(F, ALL, s + 4 * BYTES, LE);
    FloatVector s11 = FloatVector.fromMemorySegment(F, ALL, s + 5 * BYTES, LE);
    FloatVector s12 = FloatVector.fromMemorySegment(F, ALL, s + 6 * BYTES, LE);
    FloatVector s13 = FloatVector.fromMemorySegment(F, ALL, s + 7 * BYTES, LE);
    FloatVector s20 = FloatVector.fromMemorySegment(F, ALL, s + 8 * BYTES, LE);
    FloatVector s21 = FloatVector.fromMemorySegment(F, ALL, s + 9 * BYTES, LE);
    FloatVector s22 = FloatVector.fromMemorySegment(F, ALL, s + 10 * BYTES, LE);
    FloatVector s23 = FloatVector.fromMemorySegment(F, ALL, s + 11 * BYTES, LE);
    FloatVector s30 = FloatVector.fromMemorySegment(F, ALL, s + 12 * BYTES, LE);
    FloatVector s31 = FloatVector.fromMemorySegment(F, ALL, s + 13 * BYTES, LE);
    FloatVector s32 = FloatVector.fromMemorySegment(F, ALL, s + 14 * BYTES, LE);
    FloatVector s33 = FloatVector.fromMemorySegment(F, ALL, s + 15 * BYTES, LE);
    for (int i = 0; i < bytes; i += 2 * BYTES) {
      long p = w + i & MASK;
      long q = x + i & MASK;
      FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, p, LE);
      FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, p + STRIDE, LE);
      FloatVector w2 = FloatVector.fromMemorySegment(F, ALL, p + 2 * STRIDE, LE);
      FloatVector w3 = FloatVector.fromMemorySegment(F, ALL, p + 3 * STRIDE, LE);
      FloatVector x0 = FloatVector.fromMemorySegment(F, ALL, q, LE);
      s00 = w0.fma(x0, s00);
      s10 = w1.fma(x0, s10);
      s20 = w2.fma(x0, s20);
      s30 = w3.fma(x0, s30);
      FloatVector x1 = FloatVector.fromMemorySegment(F, ALL, q + STRIDE, LE);
      s01 = w0.fma(x1, s01);
      s11 = w1.fma(x1, s11);
      s21 = w2.fma(x1, s21);
      s31 = w3.fma(x1, s31);
      FloatVector x2 = FloatVector.fromMemorySegment(F, ALL, q + 2 * STRIDE, LE);
      s02 = w0.fma(x2, s02);
      s12 = w1.fma(x2, s12);
      s22 = w2.fma(x2, s22);
      s32 = w3.fma(x2, s32);
      FloatVector x3 = FloatVector.fromMemorySegment(F, ALL, q + 3 * STRIDE, LE);
      s03 = w0.fma(x3, s03);
      s13 = w1.fma(x3, s13);
      s23 = w2.fma(x3, s23);
      s33 = w3.fma(x3, s33);
    }
    s00.intoMemorySegment(ALL, s, LE);
    s01.intoMemorySegment(ALL, s + BYTES, LE);
    s02.intoMemorySegment(ALL, s + 2 * BYTES, LE);
    s03.intoMemorySegment(ALL, s + 3 * BYTES, LE);
    s10.intoMemorySegment(ALL, s + 4 * BYTES, LE);
    s11.intoMemorySegment(ALL, s + 5 * BYTES, LE);
    s12.intoMemorySegment(ALL, s + 6 * BYTES, LE);
    s13.intoMemorySegment(ALL, s + 7 * BYTES, LE);
    s20.intoMemorySegment(ALL, s + 8 * BYTES, LE);
    s21.intoMemorySegment(ALL, s + 9 * BYTES, LE);
    s22.intoMemorySegment(ALL, s + 10 * BYTES, LE);
    s23.intoMemorySegment(ALL, s + 11 * BYTES, LE);
    s30.intoMemorySegment(ALL, s + 12 * BYTES, LE);
    s31.intoMemorySegment(ALL, s + 13 * BYTES, LE);
    s32.intoMemorySegment(ALL, s + 14 * BYTES, LE);
    s33.intoMemorySegment(ALL, s + 15 * BYTES, LE);
  }

  /** As {@link #tile4x4} with one token: four sums. */
  static void tile4x1(long w, long x, int bytes, long sums) {
    long s = sums & MASK;
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, s, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, s + BYTES, LE);
    FloatVector s2 = FloatVector.fromMemorySegment(F, ALL, s + 2 * BYTES, LE);
    FloatVector s3 = FloatVector.fromMemorySegment(F, ALL, s + 3 * BYTES, LE);
    for (int i = 0; i < bytes; i += 2 * BYTES) {
      long p = w + i & MASK;
      FloatVector x0 = FloatVector.fromMemorySegment(F, ALL, x + i & MASK, LE);
      s0 = FloatVector.fromMemorySegment(F, ALL, p, LE).fma(x0, s0);
      s1 = FloatVector.fromMemorySegment(F, ALL, p + STRIDE, LE).fma(x0, s1);
      s2 = FloatVector.fromMemorySegment(F, ALL, p + 2 * STRIDE, LE).fma(x0, s2);
      s3 = FloatVector.fromMemorySegment(F, ALL, p + 3 * STRIDE, LE).fma(x0, s3);
    }
    s0.intoMemorySegment(ALL, s, LE);
    s1.intoMemorySegment(ALL, s + BYTES, LE);
    s2.intoMemorySegment(ALL, s + 2 * BYTES, LE);
    s3.intoMemorySegment(ALL, s + 3 * BYTES, LE);
  }

  /**
   * All lanes of both sums: the sums first, then halves of the vector, in a fixed order, which
   * {@code reduceLanes} does not promise. Overwrites {@code sum0}.
   */
  static float fold(long sum0, long sum1) {
    long a = sum0 & MASK;
    FloatVector.fromMemorySegment(F, ALL, a, LE)
        .add(FloatVector.fromMemorySegment(F, ALL, sum1 & MASK, LE))
        .intoMemorySegment(ALL, a, LE);
    if (N == 16) {
      FloatVector.fromMemorySegment(FloatVector.SPECIES_256, ALL, a, LE)
          .add(FloatVector.fromMemorySegment(FloatVector.SPECIES_256, ALL, a + 32, LE))
          .intoMemorySegment(ALL, a, LE);
    }
    if (N >= 8) {
      FloatVector.fromMemorySegment(FloatVector.SPECIES_128, ALL, a, LE)
          .add(FloatVector.fromMemorySegment(FloatVector.SPECIES_128, ALL, a + 16, LE))
          .intoMemorySegment(ALL, a, LE);
    }
    return Memory.f32(a) + Memory.f32(a + 8) + (Memory.f32(a + 4) + Memory.f32(a + 12));
  }
}
