package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * {@code e^x} and what is made of it, relative error below 2^-22: x is split into {@code n ln 2 +
 * r}, a polynomial of degree 6 gives {@code e^r}, and n goes into the exponent. 0 below -87.3;
 * {@code e^88.3} above 88.3, never infinite.
 *
 * <p>The same lines stand in each loop, because a helper that C2 does not inline puts its vectors
 * on the heap. Each loop has a scalar twin that rounds alike.
 */
final class Exp {
  private static final float LEAST = -87.3f;
  private static final float MOST = 88.3f;
  private static final float ROUND = 0x1.8p23f;
  private static final float LOG2_E = 1.44269504f;
  private static final float LN2_HIGH = -0.693145752f;
  private static final float LN2_LOW = -1.42860677e-6f;
  private static final float C6 = 1.38888889e-3f;
  private static final float C5 = 8.33333333e-3f;
  private static final float C4 = 4.16666667e-2f;
  private static final float C3 = 1.66666667e-1f;

  /** Of Cephes' {@code tanhf}: the odd polynomial for arguments below 0.625. */
  private static final float T11 = -5.70498873e-3f;

  private static final float T9 = 2.06390888e-2f;
  private static final float T7 = -5.37397156e-2f;
  private static final float T5 = 1.33314422e-1f;
  private static final float T3 = -3.33332819e-1f;

  private Exp() {}

  /** {@code e^x}. */
  static float exp(float x) {
    float clamped = Math.min(Math.max(x, LEAST), MOST);
    float shifted = Math.fma(clamped, LOG2_E, ROUND);
    float n = shifted - ROUND;
    float r = Math.fma(n, LN2_LOW, Math.fma(n, LN2_HIGH, clamped));
    float p = Math.fma(r, C6, C5);
    p = Math.fma(p, r, C4);
    p = Math.fma(p, r, C3);
    p = Math.fma(p, r, 0.5f);
    p = Math.fma(p, r, 1f);
    p = Math.fma(p, r, 1f);
    int exponent = Float.floatToRawIntBits(shifted) << 23;
    return x < LEAST ? 0 : Float.intBitsToFloat(Float.floatToRawIntBits(p) + exponent);
  }

  /**
   * {@code x = e^(x - max)} of whole vectors, no x above max.
   *
   * @param sum where to leave a vector of the sums of each lane
   */
  static void exponentials(long x, float max, int count, long sum) {
    FloatVector total = FloatVector.zero(F);
    for (int i = 0; i < count; i += N) {
      long at = x + 4L * i & MASK;
      FloatVector v = FloatVector.fromMemorySegment(F, ALL, at, LE).sub(max);
      FloatVector clamped = v.max(LEAST);
      FloatVector shifted =
          clamped.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND));
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(F, LN2_HIGH), clamped);
      r = n.fma(FloatVector.broadcast(F, LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
      p = p.fma(r, FloatVector.broadcast(F, C4));
      p = p.fma(r, FloatVector.broadcast(F, C3));
      p = p.fma(r, FloatVector.broadcast(F, 0.5f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      IntVector exponent = shifted.reinterpretAsInts().lanewise(LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
      e = e.blend(0, v.compare(LT, LEAST));
      e.intoMemorySegment(ALL, at, LE);
      total = total.add(e);
    }
    total.intoMemorySegment(ALL, sum & MASK, LE);
  }

  /**
   * {@code g / (1 + e^(c1 g + c3 g^3)) * (u + more)}, g first limited from above and u from both
   * sides.
   */
  static float gate(float gate, float up, float c1, float c3, float limit, float more) {
    float g = Math.min(gate, limit);
    float u = Math.max(Math.min(up, limit), -limit) + more;
    float z = Math.fma(Math.min(g * g, Float.MAX_VALUE), c3, c1) * g;
    return g / (exp(z) + 1) * u;
  }

  /** As the scalar one, of whole vectors; out may be gate. */
  static void gate(
      long gate, long up, float c1, float c3, float limit, float more, long out, int count) {
    for (int i = 0; i < count; i += N) {
      FloatVector g = FloatVector.fromMemorySegment(F, ALL, gate + 4L * i & MASK, LE).min(limit);
      FloatVector v =
          g.mul(g)
              .min(Float.MAX_VALUE)
              .fma(FloatVector.broadcast(F, c3), FloatVector.broadcast(F, c1))
              .mul(g);
      FloatVector clamped = v.max(LEAST).min(MOST);
      FloatVector shifted =
          clamped.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND));
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(F, LN2_HIGH), clamped);
      r = n.fma(FloatVector.broadcast(F, LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
      p = p.fma(r, FloatVector.broadcast(F, C4));
      p = p.fma(r, FloatVector.broadcast(F, C3));
      p = p.fma(r, FloatVector.broadcast(F, 0.5f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      IntVector exponent = shifted.reinterpretAsInts().lanewise(LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
      e = e.blend(0, v.compare(LT, LEAST));
      FloatVector u =
          FloatVector.fromMemorySegment(F, ALL, up + 4L * i & MASK, LE)
              .min(limit)
              .max(-limit)
              .add(more);
      g.div(e.add(1)).mul(u).intoMemorySegment(ALL, out + 4L * i & MASK, LE);
    }
  }

  /**
   * {@code cap * tanh(x / cap)}, relative error below 2^-21: {@code 1 - 2 / (e^2z + 1)}, and where
   * that would cancel, below 0.625, a polynomial.
   */
  static float softCap(float x, float cap) {
    float z = x * (1 / cap);
    float large = 1 - 2 / (exp(z + z) + 1);
    float square = z * z;
    float p = Math.fma(square, T11, T9);
    p = Math.fma(p, square, T7);
    p = Math.fma(p, square, T5);
    p = Math.fma(p, square, T3);
    float small = Math.fma(p * square, z, z);
    return (Math.abs(z) < 0.625f ? small : large) * cap;
  }

  /** As the scalar one, of whole vectors; out may be x. */
  static void softCap(long x, float cap, long out, int count) {
    float inverse = 1 / cap;
    for (int i = 0; i < count; i += N) {
      FloatVector z = FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE).mul(inverse);
      FloatVector v = z.add(z);
      FloatVector clamped = v.max(LEAST).min(MOST);
      FloatVector shifted =
          clamped.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND));
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(F, LN2_HIGH), clamped);
      r = n.fma(FloatVector.broadcast(F, LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(F, C6), FloatVector.broadcast(F, C5));
      p = p.fma(r, FloatVector.broadcast(F, C4));
      p = p.fma(r, FloatVector.broadcast(F, C3));
      p = p.fma(r, FloatVector.broadcast(F, 0.5f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      p = p.fma(r, FloatVector.broadcast(F, 1f));
      IntVector exponent = shifted.reinterpretAsInts().lanewise(LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
      e = e.blend(0, v.compare(LT, LEAST));
      FloatVector large =
          FloatVector.broadcast(F, 1).sub(FloatVector.broadcast(F, 2).div(e.add(1)));
      FloatVector square = z.mul(z);
      p = square.fma(FloatVector.broadcast(F, T11), FloatVector.broadcast(F, T9));
      p = p.fma(square, FloatVector.broadcast(F, T7));
      p = p.fma(square, FloatVector.broadcast(F, T5));
      p = p.fma(square, FloatVector.broadcast(F, T3));
      large
          .blend(p.mul(square).fma(z, z), z.abs().compare(LT, 0.625f))
          .mul(cap)
          .intoMemorySegment(ALL, out + 4L * i & MASK, LE);
    }
  }

  /** The sum of the lanes of one vector at {@code sum}; uses the vector's room after it too. */
  static float total(long sum) {
    FloatVector.zero(F).intoMemorySegment(ALL, sum + BYTES & MASK, LE);
    return Dots.fold(sum, sum + BYTES);
  }
}
