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
import jdk.incubator.vector.ByteVector;
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

  /** Of the header of Q4_K: scales, or minimums, 0 to 3 and the low halves of 4 to 7. */
  private static final ByteVector Q4_LOW = words(4, 12, 8, 12);

  private static final IntVector Q4_LOW_SHIFTS = ints(0, 0, 0, 4);
  private static final IntVector Q4_LOW_MASKS = ints(0x3F3F_3F3F, NIBBLES, 0x3F3F_3F3F, NIBBLES);

  /** The bytes whose upper two bits complete 4 to 7. */
  private static final ByteVector Q4_HIGH = words(0, 4, 0, 8);

  private static final IntVector Q4_HIGH_MASKS = ints(0, 0x3030_3030, 0, 0x3030_3030);
  private static final ByteVector Q3_LOW = words(2, 6, 2, 6);
  private static final IntVector Q3_LOW_SHIFTS = ints(0, 0, 4, 4);
  private static final ByteVector Q3_HIGH = words(10, 10, 10, 10);
  private static final IntVector Q3_HIGH_SHIFTS = ints(0, 2, 4, 6);

  private Unpack256() {}

  /** Indexes of the bytes of four words that begin at {@code starts}. */
  private static ByteVector words(int... starts) {
    byte[] indexes = new byte[16];
    for (int i = 0; i < 16; i++) {
      indexes[i] = (byte) (starts[i / 4] + i % 4);
    }
    return ByteVector.fromArray(ByteVector.SPECIES_128, indexes, 0);
  }

  private static IntVector ints(int... values) {
    return IntVector.fromArray(IntVector.SPECIES_128, values, 0);
  }

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
    // From two bytes before, so that nothing after the block is read.
    ByteVector header =
        ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, from - 2 & MASK, LE);
    IntVector high =
        Q3_HIGH
            .selectFrom(header)
            .reinterpretAsInts()
            .lanewise(LSHR, Q3_HIGH_SHIFTS)
            .and(0x0303_0303)
            .lanewise(LSHL, 4);
    Q3_LOW
        .selectFrom(header)
        .reinterpretAsInts()
        .lanewise(LSHR, Q3_LOW_SHIFTS)
        .and(NIBBLES)
        .or(high)
        .intoMemorySegment(ALL, to & MASK, LE);
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
      for (int row = 0; row < 4; row++) {
        IntVector low =
            IntVector.fromMemorySegment(U, ALL, from + i & MASK, LE)
                .lanewise(LSHR, 2 * row)
                .and(0x0303_0303);
        IntVector high =
            IntVector.fromMemorySegment(U, ALL, mask + i & MASK, LE)
                .lanewise(LSHR, bit + row)
                .and(0x0101_0101);
        low.or(high.lanewise(LSHL, 2))
            .reinterpretAsBytes()
            .sub((byte) 4)
            .intoMemorySegment(ALL, to + 32 * row + i & MASK, LE);
      }
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

  /** The scales alone; 16 bytes for each super-block at {@code bytes} are overwritten. */
  static void q4Scales(long from, int elements, long bytes, long scales) {
    for (int e = 0; e < elements; e += 256) {
      scalesAndMinimums(from, bytes + (e >> 4), scales + (e >> 2));
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
    ByteVector header = ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, block & MASK, LE);
    IntVector high = Q4_HIGH.selectFrom(header).reinterpretAsInts().lanewise(LSHR, 2);
    Q4_LOW
        .selectFrom(header)
        .reinterpretAsInts()
        .lanewise(LSHR, Q4_LOW_SHIFTS)
        .and(Q4_LOW_MASKS)
        .or(high.and(Q4_HIGH_MASKS))
        .intoMemorySegment(ALL, bytes & MASK, LE);
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
