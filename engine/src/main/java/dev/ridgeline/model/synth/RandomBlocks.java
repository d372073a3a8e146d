package dev.ridgeline.model.synth;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of valid random blocks whose decoded elements have mean 0 and a chosen standard deviation.
 * Quantized blocks are random bytes with the scale set: nothing is encoded, so gigabytes take
 * seconds. A row depends on its seed alone, whoever computes it and when.
 */
final class RandomBlocks {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final long BYTES_01 = 0x0101010101010101L;
  private static final long BYTES_80 = 0x8080808080808080L;
  private static final double UNIFORM = Math.sqrt(3); // half width of a uniform of deviation 1

  private RandomBlocks() {}

  /**
   * Where a format keeps its float16 scales.
   *
   * @param deviation standard deviation of the elements of a random block whose scale is 1
   * @param scaleAt byte offset of the scale
   * @param offsetAt byte offset of the second field, or -1
   * @param offsetFactor the second field as a multiple of the scale, such that the mean is 0
   * @param signed whether the scale gets a random sign, for levels that are not centred
   */
  private record Scales(
      double deviation, int scaleAt, int offsetAt, double offsetFactor, boolean signed) {
    static Scales of(DType type) {
      // Deviations: sqrt(E[scale^2] E[level^2]) over all bytes, less the offset's share.
      return switch (type) {
        case Q4_0 -> new Scales(4.637, 0, -1, 0, true);
        case Q4_1 -> new Scales(4.610, 0, 2, -7.5, false);
        case Q5_0 -> new Scales(9.247, 0, -1, 0, true);
        case Q5_1 -> new Scales(9.233, 0, 2, -15.5, false);
        case Q8_0 -> new Scales(73.90, 0, -1, 0, true);
        case Q2_K -> new Scales(13.87, 80, 82, 1.5, false);
        case Q3_K -> new Scales(43.34, 108, -1, 0, true);
        case Q4_K -> new Scales(258.3, 0, 2, 7.5, false);
        case Q5_K -> new Scales(526.9, 0, 2, 15.5, false);
        case Q6_K -> new Scales(1365.7, 208, -1, 0, true);
        case IQ4_NL -> new Scales(67.44, 0, -1, 0, true);
        case IQ4_XS -> new Scales(1246, 0, -1, 0, true);
        case F32, F16, BF16, MXFP4, I8, I16, I32, I64, F64 ->
            throw new IllegalArgumentException(type + " has no float16 scale");
      };
    }
  }

  /** Fills {@code row}, whole blocks of {@code type}. */
  static void fill(DType type, MemorySegment row, long seed, float deviation) {
    switch (type) {
      case F32 -> fillF32(row, seed, (float) (deviation * UNIFORM));
      case F16, BF16 -> fill16(type, row, seed, (float) (deviation * UNIFORM));
      case MXFP4 -> fillMxfp4(row, seed, deviation);
      default -> fillScaled(type, row, seed, deviation);
    }
  }

  /** Fills a row of floats with uniform numbers around {@code centre}. */
  static void fillUniform(MemorySegment row, long seed, float centre, float halfWidth) {
    fillF32(row, seed, halfWidth);
    for (long at = 0; at < row.byteSize(); at += Float.BYTES) {
      row.set(FLOAT, at, centre + row.get(FLOAT, at));
    }
  }

  /** The {@code index}-th of a row's random numbers (SplitMix64: Steele, Lea and Flood 2014). */
  static long random(long seed, long index) {
    long z = seed + (index + 1) * GOLDEN_GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private static void fillF32(MemorySegment row, long seed, float halfWidth) {
    float step = halfWidth * 0x1p-31f;
    for (long i = 0; i < row.byteSize() / Float.BYTES; i++) {
      long bits = random(seed, i >>> 1);
      int level = (int) (i % 2 == 0 ? bits : bits >>> 32);
      row.set(FLOAT, i * Float.BYTES, level * step);
    }
  }

  private static void fill16(DType type, MemorySegment row, long seed, float halfWidth) {
    float step = halfWidth * 0x1p-15f;
    for (long i = 0; i < row.byteSize() / Short.BYTES; i++) {
      short level = (short) (random(seed, i >>> 2) >>> (16 * (i & 3)));
      float value = level * step;
      short bits =
          type == DType.F16
              ? Float.floatToFloat16(value)
              : (short) (Float.floatToRawIntBits(value) >>> 16);
      row.set(SHORT, i * Short.BYTES, bits);
    }
  }

  private static void fillBytes(MemorySegment row, long seed) {
    long longs = row.byteSize() / Long.BYTES;
    for (long i = 0; i < longs; i++) {
      row.set(LONG, i * Long.BYTES, random(seed, i));
    }
    long rest = random(seed, longs);
    for (long at = longs * Long.BYTES; at < row.byteSize(); at++) {
      row.set(JAVA_BYTE, at, (byte) rest);
      rest >>>= Byte.SIZE;
    }
  }

  private static void fillScaled(DType type, MemorySegment row, long seed, float deviation) {
    fillBytes(row, seed);
    Scales scales = Scales.of(type);
    float d = (float) (deviation / scales.deviation);
    short scale = Float.floatToFloat16(d);
    short offset = Float.floatToFloat16((float) (d * scales.offsetFactor));
    for (long block = 0; block < row.byteSize(); block += type.blockBytes()) {
      if (type == DType.Q8_0) {
        avoidMinus128(row, block + 2);
      }
      long at = block + scales.scaleAt;
      int sign = scales.signed ? row.get(SHORT, at) & 0x8000 : 0;
      row.set(SHORT, at, (short) (scale | sign));
      if (scales.offsetAt >= 0) {
        row.set(SHORT, block + scales.offsetAt, offset);
      }
    }
  }

  /** Encoders never emit the level -128, and kernels may rely on it; -127 takes its place. */
  private static void avoidMinus128(MemorySegment row, long at) {
    for (long i = at; i < at + 32; i += Long.BYTES) {
      long bytes = row.get(LONG, i);
      long flipped = bytes ^ BYTES_80;
      // A byte's top bit where that byte of flipped is 0; a borrow may mark its neighbour too.
      long zeros = (flipped - BYTES_01) & ~flipped & BYTES_80;
      row.set(LONG, i, bytes | (zeros >>> 7));
    }
  }

  /** A power of two as scale, chosen between two neighbours so that the mean square is right. */
  private static void fillMxfp4(MemorySegment row, long seed, float deviation) {
    fillBytes(row, seed);
    double wanted = deviation / 2.926; // the deviation of the 16 levels at scale 1
    int low = Math.getExponent(wanted);
    double ratio = wanted / Math.scalb(1.0, low);
    double chanceOfHigh = (ratio * ratio - 1) / 3;
    for (long block = 0; block < row.byteSize(); block += DType.MXFP4.blockBytes()) {
      boolean high = (row.get(JAVA_BYTE, block) & 0xFF) < chanceOfHigh * 256;
      row.set(JAVA_BYTE, block, (byte) (low + 127 + (high ? 1 : 0)));
    }
  }
}
