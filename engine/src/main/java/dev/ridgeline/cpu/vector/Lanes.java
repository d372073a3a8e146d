package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;

import dev.ridgeline.cpu.kernel.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this JVM and the few loads, stores and conversions that every kernel is made
 * of. The species are constants of the class, because C2 only keeps vectors in registers when it
 * knows their shape; tests load the package once for each width.
 */
public final class Lanes {
  /** System property that forces a width: 128, 256 or 512, and with it the Vector API's kernels. */
  public static final String BITS_PROPERTY = "ridgeline.vector.bits";

  /** Whether {@link #BITS_PROPERTY} is set. */
  public static final boolean FORCED = Integer.getInteger(BITS_PROPERTY) != null;

  /** Bits of a vector. */
  public static final int BITS =
      Integer.getInteger(
          BITS_PROPERTY, Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512));

  static final VectorSpecies<Float> F =
      species(FloatVector.SPECIES_128, FloatVector.SPECIES_256, FloatVector.SPECIES_512);
  static final VectorSpecies<Integer> I =
      species(IntVector.SPECIES_128, IntVector.SPECIES_256, IntVector.SPECIES_512);

  /** As many 16-bit lanes as a vector has floats. */
  static final VectorSpecies<Short> S =
      species(ShortVector.SPECIES_64, ShortVector.SPECIES_128, ShortVector.SPECIES_256);

  /** As many bytes as a vector has floats; at 128 bits, where there is no such shape, unused. */
  static final VectorSpecies<Byte> B =
      species(ByteVector.SPECIES_64, ByteVector.SPECIES_64, ByteVector.SPECIES_128);

  /** Floats in a vector. */
  public static final int N = F.length();

  /** Bytes of a vector of floats. */
  static final int BYTES = 4 * N;

  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  /** 0, 1, 2, ... */
  static final IntVector IOTA = IntVector.zero(I).addIndex(1);

  private static final IntVector BYTE_SHIFTS = IOTA.lanewise(VectorOperators.LSHL, 3);

  private static final float ROUND = 0x1.8p23f;
  private static final float LOG2_E = 1.44269504f;
  private static final float LN2_HIGH = 0.693145752f;
  private static final float LN2_LOW = 1.42860677e-6f;

  private Lanes() {}

  private static <T> T species(T bits128, T bits256, T bits512) {
    return switch (BITS) {
      case 128 -> bits128;
      case 256 -> bits256;
      case 512 -> bits512;
      default ->
          throw new IllegalArgumentException(
              BITS_PROPERTY + ": expected 128, 256 or 512, found " + BITS);
    };
  }

  /** {@code n} rounded up to whole vectors. */
  public static int ceil(int n) {
    return (n + N - 1) & -N;
  }

  /** N floats. */
  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(F, ALL, address & MASK, LE);
  }

  /** The first {@code count} of N floats; zeros in the other lanes, whose memory is not touched. */
  static FloatVector load(long address, int count) {
    return FloatVector.fromMemorySegment(F, ALL, address & MASK, LE, F.indexInRange(0, count));
  }

  static void store(FloatVector v, long address) {
    v.intoMemorySegment(ALL, address & MASK, LE);
  }

  /** Stores the first {@code count} lanes. */
  static void store(FloatVector v, long address, int count) {
    v.intoMemorySegment(ALL, address & MASK, LE, F.indexInRange(0, count));
  }

  static FloatVector broadcast(float x) {
    return FloatVector.broadcast(F, x);
  }

  /** N unsigned bytes as integers. */
  static IntVector u8(long address) {
    if (N == 4) {
      return IntVector.broadcast(I, Memory.i32(address))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .and(255);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, ALL, address & MASK, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /** N signed bytes as integers. */
  static IntVector i8(long address) {
    if (N == 4) {
      return u8(address).lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, ALL, address & MASK, LE)
            .convertShape(VectorOperators.B2I, I, 0);
  }

  /** N signed 16-bit integers as integers. */
  static IntVector i16(long address) {
    return (IntVector)
        ShortVector.fromMemorySegment(S, ALL, address & MASK, LE)
            .convertShape(VectorOperators.S2I, I, 0);
  }

  /** Bit {@code from + lane} of {@code bits}, as 0 or 1. */
  static IntVector bits(int bits, int from) {
    return IntVector.broadcast(I, bits).lanewise(VectorOperators.LSHR, IOTA.add(from)).and(1);
  }

  static FloatVector toFloat(IntVector v) {
    return (FloatVector) v.convert(VectorOperators.I2F, 0);
  }

  /**
   * N float16 as float32, exactly, subnormals included; infinities and NaN, which no weight or
   * activation has, become numbers from 65,536 on. A float16 moved into float32's fields has an
   * exponent that is 112 too small; adding 112 is right but for exponent 0, where the value became
   * {@code +-(2^-15 + m 2^-25)} and must be {@code +-m 2^-24}.
   */
  static FloatVector f16(long address) {
    IntVector moved = i16(address).lanewise(VectorOperators.LSHL, 13).and(0x8FFF_E000);
    VectorMask<Integer> subnormal = moved.and(0x0F80_0000).compare(VectorOperators.EQ, 0);
    FloatVector x = moved.add(112 << 23).reinterpretAsFloats();
    FloatVector one = moved.and(0x8000_0000).or(113 << 23).reinterpretAsFloats();
    return x.blend(x.add(x).sub(one), subnormal.cast(F));
  }

  /**
   * Rounds to the nearest float16 (even on ties) and stores N of them; values beyond become
   * infinite.
   */
  static void storeF16(FloatVector v, long address) {
    IntVector b = v.reinterpretAsInts();
    IntVector sign = b.and(0x8000_0000);
    FloatVector a = b.and(0x7FFF_FFFF).reinterpretAsFloats();
    // Normal results: rebias, round to even on the 13 bits that go. Subnormal results: adding 0.5
    // lets the float adder round at 2^-24.
    IntVector ai = a.reinterpretAsInts();
    IntVector odd = ai.lanewise(VectorOperators.LSHR, 13).and(1);
    IntVector normal = ai.add(odd).add(0xFFF - (112 << 23)).lanewise(VectorOperators.LSHR, 13);
    IntVector small = a.add(0.5f).reinterpretAsInts().sub(126 << 23);
    IntVector h = normal.blend(small, ai.compare(VectorOperators.LT, 113 << 23));
    h = h.blend(0x7C00, ai.compare(VectorOperators.GE, 143 << 23));
    h = h.blend(0x7E00, ai.compare(VectorOperators.GT, 255 << 23));
    h = h.or(sign.lanewise(VectorOperators.LSHR, 16));
    ((ShortVector) h.convertShape(VectorOperators.I2S, S, 0))
        .intoMemorySegment(ALL, address & MASK, LE);
  }

  /**
   * {@code e^x}, relative error below 2^-22: x is split into {@code n ln 2 + r}, a polynomial of
   * degree 6 gives {@code e^r}, and n goes into the exponent. 0 below -87.3; {@code e^88.3} above
   * 88.3, never infinite.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(-87.3f).min(88.3f);
    FloatVector shifted = clamped.fma(broadcast(LOG2_E), broadcast(ROUND));
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(broadcast(-LN2_HIGH), clamped);
    r = n.fma(broadcast(-LN2_LOW), r);
    FloatVector p = r.fma(broadcast(1.38888889e-3f), broadcast(8.33333333e-3f));
    p = p.fma(r, broadcast(4.16666667e-2f));
    p = p.fma(r, broadcast(1.66666667e-1f));
    p = p.fma(r, broadcast(0.5f));
    p = p.fma(r, broadcast(1f));
    p = p.fma(r, broadcast(1f));
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector e = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    return e.blend(0, x.compare(VectorOperators.LT, -87.3f));
  }

  /**
   * {@code tanh x}, relative error below 2^-21: {@code 1 - 2 / (e^2x + 1)}, and where that would
   * cancel, below 0.625, the odd polynomial of Cephes' {@code tanhf}.
   */
  static FloatVector tanh(FloatVector x) {
    FloatVector large = broadcast(1).sub(broadcast(2).div(exp(x.add(x)).add(1)));
    FloatVector z = x.mul(x);
    FloatVector p = z.fma(broadcast(-5.70498873e-3f), broadcast(2.06390888e-2f));
    p = p.fma(z, broadcast(-5.37397156e-2f));
    p = p.fma(z, broadcast(1.33314422e-1f));
    p = p.fma(z, broadcast(-3.33332819e-1f));
    FloatVector small = p.mul(z).fma(x, x);
    return large.blend(small, x.abs().compare(VectorOperators.LT, 0.625f));
  }
}
