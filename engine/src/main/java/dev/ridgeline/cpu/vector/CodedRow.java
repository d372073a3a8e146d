package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.I2F;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.tensor.DType;
import jdk.incubator.vector.FloatVector;

/**
 * Formats whose elements are small integers in groups with a common scale: {@code code * scale [+
 * offset]}. A piece of a row is unpacked to one byte a code and one float32 a scale, which stay in
 * the first-level cache, by few wide integer operations; what follows is the same for all formats.
 */
record CodedRow(DType type, Unpacker unpacker, Groups groups) implements WeightRow {
  /** Takes the blocks of one format apart. */
  @FunctionalInterface
  interface Unpacker {
    /**
     * Decodes one piece of a row.
     *
     * @param elements at most {@link WeightRow#PIECE}
     * @param codes where the codes go, signed bytes
     * @param scales where the scales and offsets go, laid out as {@link Groups} says
     */
    void unpack(long from, int elements, long codes, long scales);
  }

  /** Elements that share a scale, and where scales lie. */
  enum Groups {
    /** Scale of group g at {@code 4 g}. */
    OF_16,
    /** Scale of group g at {@code 4 g}. */
    OF_32,
    /** For 16 groups in turn: their scales, then their offsets. */
    OF_16_OFFSET,
    /** For 8 groups in turn: their scales, then their offsets. */
    OF_32_OFFSET
  }

  @Override
  public void decode(long from, long to, int elements, long scratch) {
    long codes = scratch + CODES;
    long scales = scratch + SCALES;
    for (int done = 0; done < elements; done += PIECE) {
      int n = Math.min(PIECE, elements - done);
      unpacker.unpack(from, n, codes, scales);
      switch (groups) {
        case OF_16 -> decode16(codes, scales, n, to);
        case OF_32 -> decode32(codes, scales, n, to);
        case OF_16_OFFSET -> decode16Offset(codes, scales, n, to);
        case OF_32_OFFSET -> decode32Offset(codes, scales, n, to);
      }
      from += type.bytes(n);
      to += 4L * n;
    }
  }

  @Override
  public void dot(long from, long x, int elements, long scratch) {
    long codes = scratch + CODES;
    long scales = scratch + SCALES;
    Dots.clear(scratch);
    for (int done = 0; done < elements; done += PIECE) {
      int n = Math.min(PIECE, elements - done);
      unpacker.unpack(from, n, codes, scales);
      switch (groups) {
        case OF_16 -> dot16(codes, scales, x, n, scratch);
        case OF_32 -> dot32(codes, scales, x, n, scratch);
        case OF_16_OFFSET -> dot16Offset(codes, scales, x, n, scratch);
        case OF_32_OFFSET -> dot32Offset(codes, scales, x, n, scratch);
      }
      from += type.bytes(n);
      x += 4L * n;
    }
  }

  private static void decode16(long codes, long scales, int n, long to) {
    for (int c = 0; c < n; c += N) {
      FloatVector d = FloatVector.broadcast(F, Memory.f32(scales + 4L * (c >> 4)));
      FloatVector q = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      q.mul(d).intoMemorySegment(ALL, to + 4L * c & MASK, LE);
    }
  }

  private static void decode32(long codes, long scales, int n, long to) {
    for (int c = 0; c < n; c += N) {
      FloatVector d = FloatVector.broadcast(F, Memory.f32(scales + 4L * (c >> 5)));
      FloatVector q = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      q.mul(d).intoMemorySegment(ALL, to + 4L * c & MASK, LE);
    }
  }

  private static void decode16Offset(long codes, long scales, int n, long to) {
    for (int c = 0; c < n; c += N) {
      long at = scales + 128L * (c >> 8) + 4L * (c >> 4 & 15);
      FloatVector d = FloatVector.broadcast(F, Memory.f32(at));
      FloatVector m = FloatVector.broadcast(F, Memory.f32(at + 64));
      FloatVector q = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      q.fma(d, m).intoMemorySegment(ALL, to + 4L * c & MASK, LE);
    }
  }

  private static void decode32Offset(long codes, long scales, int n, long to) {
    for (int c = 0; c < n; c += N) {
      long at = scales + 64L * (c >> 8) + 4L * (c >> 5 & 7);
      FloatVector d = FloatVector.broadcast(F, Memory.f32(at));
      FloatVector m = FloatVector.broadcast(F, Memory.f32(at + 32));
      FloatVector q = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      q.fma(d, m).intoMemorySegment(ALL, to + 4L * c & MASK, LE);
    }
  }

  private static void dot16(long codes, long scales, long x, int n, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    for (int c = 0; c < n; c += 2 * N) {
      long p = x + 4L * c & MASK;
      FloatVector d0 = FloatVector.broadcast(F, Memory.f32(scales + 4L * (c >> 4)));
      FloatVector d1 = FloatVector.broadcast(F, Memory.f32(scales + 4L * (c + N >> 4)));
      FloatVector q0 = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      FloatVector q1 = (FloatVector) Lanes.i8(codes + c + N).convert(I2F, 0);
      s0 = q0.mul(d0).fma(FloatVector.fromMemorySegment(F, ALL, p, LE), s0);
      s1 = q1.mul(d1).fma(FloatVector.fromMemorySegment(F, ALL, p + BYTES, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  private static void dot32(long codes, long scales, long x, int n, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    for (int c = 0; c < n; c += 2 * N) {
      long p = x + 4L * c & MASK;
      FloatVector d = FloatVector.broadcast(F, Memory.f32(scales + 4L * (c >> 5)));
      FloatVector q0 = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      FloatVector q1 = (FloatVector) Lanes.i8(codes + c + N).convert(I2F, 0);
      s0 = q0.mul(d).fma(FloatVector.fromMemorySegment(F, ALL, p, LE), s0);
      s1 = q1.mul(d).fma(FloatVector.fromMemorySegment(F, ALL, p + BYTES, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  private static void dot16Offset(long codes, long scales, long x, int n, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    for (int c = 0; c < n; c += 2 * N) {
      long p = x + 4L * c & MASK;
      long at0 = scales + 128L * (c >> 8) + 4L * (c >> 4 & 15);
      long at1 = scales + 128L * (c >> 8) + 4L * (c + N >> 4 & 15);
      FloatVector d0 = FloatVector.broadcast(F, Memory.f32(at0));
      FloatVector m0 = FloatVector.broadcast(F, Memory.f32(at0 + 64));
      FloatVector d1 = FloatVector.broadcast(F, Memory.f32(at1));
      FloatVector m1 = FloatVector.broadcast(F, Memory.f32(at1 + 64));
      FloatVector q0 = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      FloatVector q1 = (FloatVector) Lanes.i8(codes + c + N).convert(I2F, 0);
      s0 = q0.fma(d0, m0).fma(FloatVector.fromMemorySegment(F, ALL, p, LE), s0);
      s1 = q1.fma(d1, m1).fma(FloatVector.fromMemorySegment(F, ALL, p + BYTES, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }

  private static void dot32Offset(long codes, long scales, long x, int n, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    for (int c = 0; c < n; c += 2 * N) {
      long p = x + 4L * c & MASK;
      long at = scales + 64L * (c >> 8) + 4L * (c >> 5 & 7);
      FloatVector d = FloatVector.broadcast(F, Memory.f32(at));
      FloatVector m = FloatVector.broadcast(F, Memory.f32(at + 32));
      FloatVector q0 = (FloatVector) Lanes.i8(codes + c).convert(I2F, 0);
      FloatVector q1 = (FloatVector) Lanes.i8(codes + c + N).convert(I2F, 0);
      s0 = q0.fma(d, m).fma(FloatVector.fromMemorySegment(F, ALL, p, LE), s0);
      s1 = q1.fma(d, m).fma(FloatVector.fromMemorySegment(F, ALL, p + BYTES, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }
}
