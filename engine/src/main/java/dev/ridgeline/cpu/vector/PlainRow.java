package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.I;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/** Formats that are used where they lie: floating point, and Q8_0, whose codes are bytes. */
enum PlainRow implements WeightRow {
  /** float32. */
  F32 {
    @Override
    public void decode(long from, long to, int elements, long scratch) {
      Memory.copy(from, to, 4L * elements);
    }

    @Override
    public void dot(long from, long x, int elements, long scratch) {
      dotF32(from, x, elements, scratch);
    }
  },

  /** IEEE binary16. */
  F16 {
    @Override
    public void decode(long from, long to, int elements, long scratch) {
      decodeF16(from, to, elements);
    }

    @Override
    public void dot(long from, long x, int elements, long scratch) {
      if (Lanes.SUBNORMALS_ARE_FAST) {
        dotF16(from, x, elements, scratch);
      } else {
        dotF16Normal(from, x, elements, scratch);
      }
    }
  },

  /** The upper half of float32. */
  BF16 {
    @Override
    public void decode(long from, long to, int elements, long scratch) {
      decodeBf16(from, to, elements);
    }

    @Override
    public void dot(long from, long x, int elements, long scratch) {
      dotBf16(from, x, elements, scratch);
    }
  },

  /** Blocks of a float16 scale and 32 signed bytes. */
  Q8_0 {
    @Override
    public void decode(long from, long to, int elements, long scratch) {
      for (int done = 0; done < elements; done += 32) {
        decodeQ8(from + 2, Memory.f16(from), to);
        from += 34;
        to += 128;
      }
    }

    @Override
    public void dot(long from, long x, int elements, long scratch) {
      dotQ8(from, x, elements, scratch);
    }
  };

  private static void dotF32(long w, long x, int n, long sums) {
    Dots.clear(sums);
    Dots.row(w, x, 4 * (n & -N), sums);
  }

  private static void decodeF16(long from, long to, int n) {
    int whole = n & -N;
    for (int i = 0; i < whole; i += N) {
      IntVector h =
          ((IntVector)
                  ShortVector.fromMemorySegment(S, ALL, from + 2L * i & MASK, LE)
                      .convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector m = h.and(0x0FFF_E000).add(112 << 23);
      FloatVector twice =
          m.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      m.min(twice.reinterpretAsInts())
          .or(h.and(0x8000_0000))
          .intoMemorySegment(ALL, to + 4L * i & MASK, LE);
    }
    for (int i = whole; i < n; i++) {
      Memory.f32(to + 4L * i, Memory.f16(from + 2L * i));
    }
  }

  /**
   * A float16 moved into float32's fields has an exponent that is too small by 112; multiplying by
   * 2^112 is exact, subnormals included. Infinities and NaN, which no weight has, become numbers
   * from 65,536 on.
   */
  private static void dotF16(long w, long x, int n, long sums) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    int i = 0;
    for (; i + 2 * N <= n; i += 2 * N) {
      long p = w + 2L * i & MASK;
      long q = x + 4L * i & MASK;
      IntVector h0 =
          (IntVector) ShortVector.fromMemorySegment(S, ALL, p, LE).convertShape(S2I, I, 0);
      IntVector h1 =
          (IntVector) ShortVector.fromMemorySegment(S, ALL, p + 2 * N, LE).convertShape(S2I, I, 0);
      FloatVector a0 = h0.lanewise(LSHL, 13).and(0x8FFF_E000).reinterpretAsFloats();
      FloatVector a1 = h1.lanewise(LSHL, 13).and(0x8FFF_E000).reinterpretAsFloats();
      s0 = a0.mul(0x1p112f).fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = a1.mul(0x1p112f).fma(FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE), s1);
    }
    if (i + N <= n) {
      IntVector h0 =
          (IntVector)
              ShortVector.fromMemorySegment(S, ALL, w + 2L * i & MASK, LE).convertShape(S2I, I, 0);
      FloatVector a0 = h0.lanewise(LSHL, 13).and(0x8FFF_E000).reinterpretAsFloats();
      FloatVector x0 = FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE);
      s0 = a0.mul(0x1p112f).fma(x0, s0);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  /**
   * As {@link #dotF16} without arithmetic on subnormals. Adding 112 to the exponent is right but
   * for subnormals, where {@code m 2^-24} became {@code a = 2^-15 + m 2^-25}, which is less than
   * {@code 2 a - 2^-14}; so the smaller of both is right for all. Positive floats compare like
   * integers, which have a minimum that is one instruction.
   */
  private static void dotF16Normal(long w, long x, int n, long sums) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    int i = 0;
    for (; i + 2 * N <= n; i += 2 * N) {
      long p = w + 2L * i & MASK;
      long q = x + 4L * i & MASK;
      IntVector h0 =
          ((IntVector) ShortVector.fromMemorySegment(S, ALL, p, LE).convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector h1 =
          ((IntVector) ShortVector.fromMemorySegment(S, ALL, p + 2 * N, LE).convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector m0 = h0.and(0x0FFF_E000).add(112 << 23);
      IntVector m1 = h1.and(0x0FFF_E000).add(112 << 23);
      FloatVector t0 =
          m0.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      FloatVector t1 =
          m1.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      FloatVector a0 = m0.min(t0.reinterpretAsInts()).or(h0.and(0x8000_0000)).reinterpretAsFloats();
      FloatVector a1 = m1.min(t1.reinterpretAsInts()).or(h1.and(0x8000_0000)).reinterpretAsFloats();
      s0 = a0.fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = a1.fma(FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE), s1);
    }
    if (i + N <= n) {
      IntVector h0 =
          ((IntVector)
                  ShortVector.fromMemorySegment(S, ALL, w + 2L * i & MASK, LE)
                      .convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector m0 = h0.and(0x0FFF_E000).add(112 << 23);
      FloatVector t0 =
          m0.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      FloatVector a0 = m0.min(t0.reinterpretAsInts()).or(h0.and(0x8000_0000)).reinterpretAsFloats();
      s0 = a0.fma(FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE), s0);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  private static void decodeBf16(long from, long to, int n) {
    int whole = n & -N;
    for (int i = 0; i < whole; i += N) {
      IntVector h =
          (IntVector)
              ShortVector.fromMemorySegment(S, ALL, from + 2L * i & MASK, LE)
                  .convertShape(ZERO_EXTEND_S2I, I, 0);
      h.lanewise(LSHL, 16).intoMemorySegment(ALL, to + 4L * i & MASK, LE);
    }
    for (int i = whole; i < n; i++) {
      Memory.i32(to + 4L * i, Memory.u16(from + 2L * i) << 16);
    }
  }

  private static void dotBf16(long w, long x, int n, long sums) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    int i = 0;
    for (; i + 2 * N <= n; i += 2 * N) {
      long p = w + 2L * i & MASK;
      long q = x + 4L * i & MASK;
      IntVector h0 =
          (IntVector)
              ShortVector.fromMemorySegment(S, ALL, p, LE).convertShape(ZERO_EXTEND_S2I, I, 0);
      IntVector h1 =
          (IntVector)
              ShortVector.fromMemorySegment(S, ALL, p + 2 * N, LE)
                  .convertShape(ZERO_EXTEND_S2I, I, 0);
      FloatVector a0 = h0.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector a1 = h1.lanewise(LSHL, 16).reinterpretAsFloats();
      s0 = a0.fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = a1.fma(FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE), s1);
    }
    if (i + N <= n) {
      IntVector h0 =
          (IntVector)
              ShortVector.fromMemorySegment(S, ALL, w + 2L * i & MASK, LE)
                  .convertShape(ZERO_EXTEND_S2I, I, 0);
      FloatVector a0 = h0.lanewise(LSHL, 16).reinterpretAsFloats();
      s0 = a0.fma(FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE), s0);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  private static void decodeQ8(long codes, float scale, long to) {
    for (int i = 0; i < 32; i += N) {
      FloatVector q = (FloatVector) Lanes.i8(codes + i).convert(I2F, 0);
      q.mul(scale).intoMemorySegment(ALL, to + 4L * i & MASK, LE);
    }
  }

  private static void dotQ8(long w, long x, int n, long sums) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    for (int c = 0; c < n; c += 2 * N) {
      long block = w + 34L * (c >> 5) & MASK;
      long codes = block + 2 + (c & 31);
      long q = x + 4L * c & MASK;
      FloatVector d = FloatVector.broadcast(F, Memory.f16(block));
      FloatVector q0 = (FloatVector) Lanes.i8(codes).convert(I2F, 0);
      FloatVector q1 = (FloatVector) Lanes.i8(codes + N).convert(I2F, 0);
      s0 = q0.mul(d).fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = q1.mul(d).fma(FloatVector.fromMemorySegment(F, ALL, q + BYTES, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }
}
