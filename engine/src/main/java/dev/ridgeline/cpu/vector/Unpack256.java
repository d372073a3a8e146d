package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Codes and scales of the formats with super-blocks of 256. Layouts as {@code quant} says. */
final class Unpack256 {
  private static final int NIBBLES = 0x0F0F_0F0F;

  /** Codes come in rows of 32 bytes, so wider vectors do not help. */
  private static final VectorSpecies<Integer> U =
      N == 4 ? IntVector.SPECIES_128 : IntVector.SPECIES_256;

  private static final int U_BYTES = U.vectorByteSize();

  /** 1 for the eight scales of Q4_K and Q5_K, then 0 for their minimums. */
  private static final float[] IS_SCALE = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};

  private static final float[] IS_MINIMUM = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};

  private Unpack256() {}

  static void q2_k(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      q2Scales(from, Memory.f16(from + 80), -Memory.f16(from + 82), scales + (e >> 1));
      q2Codes(from + 16, codes + e);
      q2Codes(from + 48, codes + e + 128);
      from += 84;
    }
  }

  private static void q2Scales(long from, float d, float min, long to) {
    for (int i = 0; i < 16; i += N) {
      IntVector s = Lanes.u8(from + i);
      ((FloatVector) s.and(15).convert(I2F, 0))
          .mul(d)
          .intoMemorySegment(ALL, to + 4 * i & MASK, LE);
      ((FloatVector) s.lanewise(LSHR, 4).convert(I2F, 0))
          .mul(min)
          .intoMemorySegment(ALL, to + 64 + 4 * i & MASK, LE);
    }
  }

  /** Four rows of 32 codes of two bits. */
  private static void q2Codes(long from, long to) {
    for (int i = 0; i < 32; i += U_BYTES) {
      long c = to + i & MASK;
      IntVector q = IntVector.fromMemorySegment(U, ALL, from + i & MASK, LE);
      q.and(0x0303_0303).intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 2).and(0x0303_0303).intoMemorySegment(ALL, c + 32, LE);
      q.lanewise(LSHR, 4).and(0x0303_0303).intoMemorySegment(ALL, c + 64, LE);
      q.lanewise(LSHR, 6).and(0x0303_0303).intoMemorySegment(ALL, c + 96, LE);
    }
  }

  static void q3_k(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      q3Scales(from + 96, codes + e);
      signedScales(codes + e, 32, Memory.f16(from + 108), scales + (e >> 2));
      q3Codes(from, from + 32, 0, codes + e);
      q3Codes(from, from + 64, 4, codes + e + 128);
      from += 110;
    }
  }

  /** Scales of six bits: four low bits, and two high bits four groups further on each. */
  private static void q3Scales(long from, long to) {
    int a = Memory.i32(from);
    int b = Memory.i32(from + 4);
    int high = Memory.i32(from + 8);
    Memory.i32(to, a & NIBBLES | (high & 0x0303_0303) << 4);
    Memory.i32(to + 4, b & NIBBLES | (high >>> 2 & 0x0303_0303) << 4);
    Memory.i32(to + 8, a >>> 4 & NIBBLES | (high >>> 4 & 0x0303_0303) << 4);
    Memory.i32(to + 12, b >>> 4 & NIBBLES | (high >>> 6 & 0x0303_0303) << 4);
  }

  /** {@code (byte - bias) * d} of 16 signed bytes. */
  private static void signedScales(long from, int bias, float d, long to) {
    for (int i = 0; i < 16; i += N) {
      IntVector s = Lanes.i8(from + i).sub(bias);
      ((FloatVector) s.convert(I2F, 0)).mul(d).intoMemorySegment(ALL, to + 4 * i & MASK, LE);
    }
  }

  /** Four rows of 32 codes: two low bits, and less 4 unless the bit of the mask is set. */
  private static void q3Codes(long mask, long from, int bit, long to) {
    for (int i = 0; i < 32; i += U_BYTES) {
      long c = to + i & MASK;
      IntVector q = IntVector.fromMemorySegment(U, ALL, from + i & MASK, LE);
      IntVector h = IntVector.fromMemorySegment(U, ALL, mask + i & MASK, LE).lanewise(LSHR, bit);
      q.and(0x0303_0303)
          .or(h.and(0x0101_0101).lanewise(LSHL, 2))
          .reinterpretAsBytes()
          .sub((byte) 4)
          .intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 2)
          .and(0x0303_0303)
          .or(h.lanewise(LSHL, 1).and(0x0404_0404))
          .reinterpretAsBytes()
          .sub((byte) 4)
          .intoMemorySegment(ALL, c + 32, LE);
      q.lanewise(LSHR, 4)
          .and(0x0303_0303)
          .or(h.and(0x0404_0404))
          .reinterpretAsBytes()
          .sub((byte) 4)
          .intoMemorySegment(ALL, c + 64, LE);
      q.lanewise(LSHR, 6)
          .and(0x0303_0303)
          .or(h.lanewise(LSHR, 1).and(0x0404_0404))
          .reinterpretAsBytes()
          .sub((byte) 4)
          .intoMemorySegment(ALL, c + 96, LE);
    }
  }

  static void q4_k(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      scalesAndMinimums(from, codes + e, scales + (e >> 2));
      for (int i = 0; i < 256; i += 64) {
        nibbles(from + 16 + i / 2, codes + e + i);
      }
      from += 144;
    }
  }

  /** Two rows of 32 codes of four bits. */
  private static void nibbles(long from, long to) {
    for (int i = 0; i < 32; i += U_BYTES) {
      long c = to + i & MASK;
      IntVector q = IntVector.fromMemorySegment(U, ALL, from + i & MASK, LE);
      q.and(NIBBLES).intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 4).and(NIBBLES).intoMemorySegment(ALL, c + 32, LE);
    }
  }

  /**
   * Scales and negative minimums of a super-block of Q4_K or Q5_K, which begins with d and the
   * factor of the minimums and then has twelve bytes of six bits each.
   */
  private static void scalesAndMinimums(long block, long bytes, long to) {
    int a = Memory.i32(block + 4);
    int b = Memory.i32(block + 8);
    int c = Memory.i32(block + 12);
    Memory.i32(bytes, a & 0x3F3F_3F3F);
    Memory.i32(bytes + 4, c & NIBBLES | a >>> 2 & 0x3030_3030);
    Memory.i32(bytes + 8, b & 0x3F3F_3F3F);
    Memory.i32(bytes + 12, c >>> 4 & NIBBLES | b >>> 2 & 0x3030_3030);
    float d = Memory.f16(block);
    float min = -Memory.f16(block + 2);
    for (int i = 0; i < 16; i += N) {
      FloatVector factor =
          FloatVector.fromArray(F, IS_SCALE, i)
              .mul(d)
              .add(FloatVector.fromArray(F, IS_MINIMUM, i).mul(min));
      ((FloatVector) Lanes.u8(bytes + i).convert(I2F, 0))
          .mul(factor)
          .intoMemorySegment(ALL, to + 4 * i & MASK, LE);
    }
  }

  static void q5_k(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      scalesAndMinimums(from, codes + e, scales + (e >> 2));
      for (int pair = 0; pair < 4; pair++) {
        q5Codes(from + 48 + 32 * pair, from + 16, 2 * pair, codes + e + 64 * pair);
      }
      from += 176;
    }
  }

  /** Two rows of 32 codes: four bits, and the fifth from bits {@code bit} and on. */
  private static void q5Codes(long from, long fifth, int bit, long to) {
    for (int i = 0; i < 32; i += U_BYTES) {
      long c = to + i & MASK;
      IntVector q = IntVector.fromMemorySegment(U, ALL, from + i & MASK, LE);
      IntVector h = IntVector.fromMemorySegment(U, ALL, fifth + i & MASK, LE).lanewise(LSHR, bit);
      q.and(NIBBLES).or(h.and(0x0101_0101).lanewise(LSHL, 4)).intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 4)
          .and(NIBBLES)
          .or(h.lanewise(LSHL, 3).and(0x1010_1010))
          .intoMemorySegment(ALL, c + 32, LE);
    }
  }

  static void q6_k(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      signedScales(from + 192, 0, Memory.f16(from + 208), scales + (e >> 2));
      q6Codes(from, from + 128, codes + e);
      q6Codes(from + 64, from + 160, codes + e + 128);
      from += 210;
    }
  }

  /** Four rows of 32 codes: four bits from 64 bytes, two from 32, less 32. */
  private static void q6Codes(long low, long high, long to) {
    for (int i = 0; i < 32; i += U_BYTES) {
      long c = to + i & MASK;
      IntVector a = IntVector.fromMemorySegment(U, ALL, low + i & MASK, LE);
      IntVector b = IntVector.fromMemorySegment(U, ALL, low + 32 + i & MASK, LE);
      IntVector h = IntVector.fromMemorySegment(U, ALL, high + i & MASK, LE);
      a.and(NIBBLES)
          .or(h.lanewise(LSHL, 4).and(0x3030_3030))
          .reinterpretAsBytes()
          .sub((byte) 32)
          .intoMemorySegment(ALL, c, LE);
      b.and(NIBBLES)
          .or(h.lanewise(LSHL, 2).and(0x3030_3030))
          .reinterpretAsBytes()
          .sub((byte) 32)
          .intoMemorySegment(ALL, c + 32, LE);
      a.lanewise(LSHR, 4)
          .and(NIBBLES)
          .or(h.and(0x3030_3030))
          .reinterpretAsBytes()
          .sub((byte) 32)
          .intoMemorySegment(ALL, c + 64, LE);
      b.lanewise(LSHR, 4)
          .and(NIBBLES)
          .or(h.lanewise(LSHR, 2).and(0x3030_3030))
          .reinterpretAsBytes()
          .sub((byte) 32)
          .intoMemorySegment(ALL, c + 96, LE);
    }
  }

  static void iq4_xs(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from);
      int low = Memory.i32(from + 4);
      int high = Memory.u16(from + 2);
      for (int group = 0; group < 8; group++) {
        int scale = (low >>> 4 * group & 15 | (high >>> 2 * group & 3) << 4) - 32;
        Memory.f32(scales + (e >> 3) + 4 * group, d * scale);
        Unpack32.iq4(from + 8 + 16 * group, codes + e + 32 * group);
      }
      from += 136;
    }
  }
}
