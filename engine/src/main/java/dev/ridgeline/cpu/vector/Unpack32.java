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

  /** Where the fifth bits of elements 0, 4, 8 and 12 are, and of 16, 20, 24 and 28. */
  private static final IntVector FIRST_BITS =
      IntVector.fromArray(IntVector.SPECIES_128, new int[] {0, 4, 8, 12}, 0);

  private static final IntVector LAST_BITS = FIRST_BITS.add(16);

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
      q5(from + 6, Memory.i32(from + 2), (byte) 16, codes + e);
      from += 22;
    }
  }

  static void q5_1(long from, int elements, long codes, long scales) {
    for (int e = 0; e < elements; e += 32) {
      long s = scales + 64L * (e >> 8) + 4L * (e >> 5 & 7);
      Memory.f32(s, Memory.f16(from));
      Memory.f32(s + 32, Memory.f16(from + 2));
      q5(from + 8, Memory.i32(from + 4), (byte) 0, codes + e);
      from += 24;
    }
  }

  /** 32 codes of four bits, their fifth bits from an integer, less {@code bias}. */
  private static void q5(long from, int fifth, byte bias, long codes) {
    long c = codes & MASK;
    IntVector q = IntVector.fromMemorySegment(IntVector.SPECIES_128, ALL, from & MASK, LE);
    IntVector h = IntVector.broadcast(IntVector.SPECIES_128, fifth);
    // The product puts bit i of four bits to bit 4 of byte i.
    IntVector h0 = h.lanewise(LSHR, FIRST_BITS).and(15).mul(0x0204_0810).and(0x1010_1010);
    IntVector h1 = h.lanewise(LSHR, LAST_BITS).and(15).mul(0x0204_0810).and(0x1010_1010);
    q.and(NIBBLES).or(h0).reinterpretAsBytes().sub(bias).intoMemorySegment(ALL, c, LE);
    q.lanewise(LSHR, 4)
        .and(NIBBLES)
        .or(h1)
        .reinterpretAsBytes()
        .sub(bias)
        .intoMemorySegment(ALL, c + 16, LE);
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
