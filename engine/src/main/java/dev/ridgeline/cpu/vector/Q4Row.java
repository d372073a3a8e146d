package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.tensor.DType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Q4_K at 512 bits, where the sixteen bytes of a load are both a vector of low and one of high
 * codes, so that unpacking them first is not worth it: 23 instead of 16 billion weights a second
 * and core (Zen 5).
 */
record Q4Row(WeightRow decoder) implements WeightRow {
  @Override
  public void decode(long from, long to, int elements, long scratch) {
    decoder.decode(from, to, elements, scratch);
  }

  @Override
  public void dot(long from, long x, int elements, long scratch) {
    Dots.clear(scratch);
    for (int done = 0; done < elements; done += PIECE) {
      int n = Math.min(PIECE, elements - done);
      Unpack256.q4Scales(from, n, scratch + CODES, scratch + SCALES);
      dot(from, x, n, scratch + SCALES, scratch);
      from += DType.Q4_K.bytes(n);
      x += 4L * n;
    }
  }

  private static void dot(long from, long x, int n, long scales, long sums) {
    FloatVector s0 = FloatVector.fromMemorySegment(F, ALL, sums & MASK, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, ALL, sums + BYTES & MASK, LE);
    for (int u = 0; u < n >> 6; u++) {
      long p = from + 144L * (u >> 2) + 16 + 32 * (u & 3) & MASK;
      long q = x + 256L * u & MASK;
      long s = scales + 64L * (u >> 2) + 8 * (u & 3) & MASK;
      IntVector a = Lanes.u8(p);
      IntVector b = Lanes.u8(p + 16);
      FloatVector d = FloatVector.broadcast(F, Memory.f32(s));
      FloatVector m = FloatVector.broadcast(F, Memory.f32(s + 32));
      FloatVector d2 = FloatVector.broadcast(F, Memory.f32(s + 4));
      FloatVector m2 = FloatVector.broadcast(F, Memory.f32(s + 36));
      FloatVector a0 = ((FloatVector) a.and(15).convert(I2F, 0)).fma(d, m);
      FloatVector b0 = ((FloatVector) b.and(15).convert(I2F, 0)).fma(d, m);
      FloatVector a1 = ((FloatVector) a.lanewise(LSHR, 4).convert(I2F, 0)).fma(d2, m2);
      FloatVector b1 = ((FloatVector) b.lanewise(LSHR, 4).convert(I2F, 0)).fma(d2, m2);
      s0 = a0.fma(FloatVector.fromMemorySegment(F, ALL, q, LE), s0);
      s1 = b0.fma(FloatVector.fromMemorySegment(F, ALL, q + 64, LE), s1);
      s0 = a1.fma(FloatVector.fromMemorySegment(F, ALL, q + 128, LE), s0);
      s1 = b1.fma(FloatVector.fromMemorySegment(F, ALL, q + 192, LE), s1);
    }
    s0.intoMemorySegment(ALL, sums & MASK, LE);
    s1.intoMemorySegment(ALL, sums + BYTES & MASK, LE);
  }
}
