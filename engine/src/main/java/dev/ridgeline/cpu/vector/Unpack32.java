package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;

/**
 * Codes and scales of the formats with blocks of 32. Four-bit codes: byte i of a block holds
 * element i in its low half and element i + 16 in its high half. Layouts as {@code quant} documents
 * them.
 */
final class Unpack32 {
  private static final int NIBBLES = 0x0F0F_0F0F;
  private static final long LONG_NIBBLES = 0x0F0F_0F0F_0F0F_0F0FL;
  private static final long ONES = 0x0101_0101_0101_0101L;

  /** What the codes of IQ4_NL and IQ4_XS stand for. */
  private static final ByteVector IQ4_VALUES =
      table(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

  /** What the codes of MXFP4 stand for, doubled. */
  private static final ByteVector MXFP4_VALUES =
      table(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

  private Unpack32() {}

  private static ByteVector table(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return ByteVector.fromArray(ByteVector.SPECIES_128, bytes, 0);
  }

  static void q4_0(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      long p = from & MASK;
      long c = codes + e & MASK;
      Memory.f32(scales + (e >> 3), Memory.f16(p));
      IntVector q = IntVector.fromMemorySegment(IntVector.SPECIES_128, ALL, p + 2, LE);
      q.and(NIBBLES).reinterpretAsBytes().sub((byte) 8).intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 4)
          .and(NIBBLES)
          .reinterpretAsBytes()
          .sub((byte) 8)
          .intoMemorySegment(ALL, c + 16, LE);
      from += 18;
    }
  }

  static void q4_1(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      long p = from & MASK;
      long c = codes + e & MASK;
      long s = scales + 64L * (e >> 8) + 4L * (e >> 5 & 7);
      Memory.f32(s, Memory.f16(p));
      Memory.f32(s + 32, Memory.f16(p + 2));
      IntVector q = IntVector.fromMemorySegment(IntVector.SPECIES_128, ALL, p + 4, LE);
      q.and(NIBBLES).intoMemorySegment(ALL, c, LE);
      q.lanewise(LSHR, 4).and(NIBBLES).intoMemorySegment(ALL, c + 16, LE);
      from += 20;
    }
  }

  static void q5_0(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      Memory.f32(scales + (e >> 3), Memory.f16(from));
      // The fifth bit says that 16 is not to be taken away: where it is missing, fill with ones.
      int missing = ~Memory.i32(from + 2);
      long low = Memory.i64(from + 6);
      long high = Memory.i64(from + 14);
      long c = codes + e;
      Memory.i64(c, low & LONG_NIBBLES | spread(missing & 255) * 0xF0);
      Memory.i64(c + 8, high & LONG_NIBBLES | spread(missing >>> 8 & 255) * 0xF0);
      Memory.i64(c + 16, low >>> 4 & LONG_NIBBLES | spread(missing >>> 16 & 255) * 0xF0);
      Memory.i64(c + 24, high >>> 4 & LONG_NIBBLES | spread(missing >>> 24) * 0xF0);
      from += 22;
    }
  }

  static void q5_1(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      long s = scales + 64L * (e >> 8) + 4L * (e >> 5 & 7);
      Memory.f32(s, Memory.f16(from));
      Memory.f32(s + 32, Memory.f16(from + 2));
      int fifth = Memory.i32(from + 4);
      long low = Memory.i64(from + 8);
      long high = Memory.i64(from + 16);
      long c = codes + e;
      Memory.i64(c, low & LONG_NIBBLES | spread(fifth & 255) << 4);
      Memory.i64(c + 8, high & LONG_NIBBLES | spread(fifth >>> 8 & 255) << 4);
      Memory.i64(c + 16, low >>> 4 & LONG_NIBBLES | spread(fifth >>> 16 & 255) << 4);
      Memory.i64(c + 24, high >>> 4 & LONG_NIBBLES | spread(fifth >>> 24) << 4);
      from += 24;
    }
  }

  /** Bit i of eight bits as byte i, 0 or 1. */
  private static long spread(int bits) {
    return (bits * ONES & 0x8040_2010_0804_0201L) + 0x7F7F_7F7F_7F7F_7F7FL >>> 7 & ONES;
  }

  static void iq4_nl(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      Memory.f32(scales + (e >> 3), Memory.f16(from));
      iq4(from + 2, codes + e);
      from += 18;
    }
  }

  static void mxfp4(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      Memory.f32(scales + (e >> 3), halfOfE8m0(Memory.i8(from) & 255));
      long c = codes + e & MASK;
      ByteVector q = ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, from + 1 & MASK, LE);
      q.and((byte) 15).selectFrom(MXFP4_VALUES).intoMemorySegment(ALL, c, LE);
      q.reinterpretAsInts()
          .lanewise(LSHR, 4)
          .and(NIBBLES)
          .reinterpretAsBytes()
          .selectFrom(MXFP4_VALUES)
          .intoMemorySegment(ALL, c + 16, LE);
      from += 17;
    }
  }

  /** {@code 2^(e - 128)}: half of the scale, because the table holds doubled values. */
  private static float halfOfE8m0(int e) {
    return Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : (e - 1) << 23);
  }

  /** 32 codes of the IQ4 table. */
  static void iq4(long from, long codes) {
    long c = codes & MASK;
    ByteVector q = ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, from & MASK, LE);
    q.and((byte) 15).selectFrom(IQ4_VALUES).intoMemorySegment(ALL, c, LE);
    q.reinterpretAsInts()
        .lanewise(LSHR, 4)
        .and(NIBBLES)
        .reinterpretAsBytes()
        .selectFrom(IQ4_VALUES)
        .intoMemorySegment(ALL, c + 16, LE);
  }
}
