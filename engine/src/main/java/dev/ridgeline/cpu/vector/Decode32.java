package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.bits;
import static dev.ridgeline.cpu.vector.Lanes.broadcast;
import static dev.ridgeline.cpu.vector.Lanes.i8;
import static dev.ridgeline.cpu.vector.Lanes.store;
import static dev.ridgeline.cpu.vector.Lanes.toFloat;
import static dev.ridgeline.cpu.vector.Lanes.u8;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Formats with blocks of 32. Four-bit codes: byte i of a block holds element i in its low half and
 * element i + 16 in its high half. Layouts as {@code quant} documents them.
 */
@SuppressWarnings("NarrowCalculation") // offsets within a row of weights: far below 2^31
final class Decode32 {
  /** What the codes of IQ4_NL and IQ4_XS stand for. */
  private static final ByteVector IQ4_VALUES =
      table(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

  /** What the codes of MXFP4 stand for, doubled. */
  private static final ByteVector MXFP4_VALUES =
      table(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

  private Decode32() {}

  private static ByteVector table(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return ByteVector.fromArray(ByteVector.SPECIES_128, bytes, 0);
  }

  static void q4_0(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      FloatVector d = broadcast(Memory.f16(from));
      for (int i = 0; i < 16; i += N) {
        IntVector q = u8(from + 2 + i);
        store(toFloat(q.and(15).sub(8)).mul(d), to + 4 * i);
        store(toFloat(q.lanewise(VectorOperators.LSHR, 4).sub(8)).mul(d), to + 64 + 4 * i);
      }
      from += 18;
      to += 128;
    }
  }

  static void q4_1(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      FloatVector d = broadcast(Memory.f16(from));
      FloatVector m = broadcast(Memory.f16(from + 2));
      for (int i = 0; i < 16; i += N) {
        IntVector q = u8(from + 4 + i);
        store(toFloat(q.and(15)).fma(d, m), to + 4 * i);
        store(toFloat(q.lanewise(VectorOperators.LSHR, 4)).fma(d, m), to + 64 + 4 * i);
      }
      from += 20;
      to += 128;
    }
  }

  static void q5_0(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      FloatVector d = broadcast(Memory.f16(from));
      int high = Memory.i32(from + 2);
      for (int i = 0; i < 16; i += N) {
        IntVector q = u8(from + 6 + i);
        store(toFloat(low5(q, high, i).sub(16)).mul(d), to + 4 * i);
        store(toFloat(high5(q, high, i).sub(16)).mul(d), to + 64 + 4 * i);
      }
      from += 22;
      to += 128;
    }
  }

  static void q5_1(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      FloatVector d = broadcast(Memory.f16(from));
      FloatVector m = broadcast(Memory.f16(from + 2));
      int high = Memory.i32(from + 4);
      for (int i = 0; i < 16; i += N) {
        IntVector q = u8(from + 8 + i);
        store(toFloat(low5(q, high, i)).fma(d, m), to + 4 * i);
        store(toFloat(high5(q, high, i)).fma(d, m), to + 64 + 4 * i);
      }
      from += 24;
      to += 128;
    }
  }

  /** Elements i of a block: the low halves with the fifth bits i. */
  private static IntVector low5(IntVector q, int high, int i) {
    return q.and(15).or(bits(high, i).lanewise(VectorOperators.LSHL, 4));
  }

  /** Elements i + 16 of a block: the high halves with the fifth bits i + 16. */
  private static IntVector high5(IntVector q, int high, int i) {
    return q.lanewise(VectorOperators.LSHR, 4)
        .or(bits(high, i + 16).lanewise(VectorOperators.LSHL, 4));
  }

  static void q8_0(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      FloatVector d = broadcast(Memory.f16(from));
      for (int i = 0; i < 32; i += N) {
        store(toFloat(i8(from + 2 + i)).mul(d), to + 4 * i);
      }
      from += 34;
      to += 128;
    }
  }

  static void iq4_nl(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      iq4(from + 2, to, broadcast(Memory.f16(from)));
      from += 18;
      to += 128;
    }
  }

  static void mxfp4(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 32) {
      lookup(from + 1, to, MXFP4_VALUES, broadcast(halfOfE8m0(Memory.i8(from) & 255)));
      from += 17;
      to += 128;
    }
  }

  /** One block of 32 four-bit codes of the IQ4 table. */
  static void iq4(long codes, long to, FloatVector d) {
    lookup(codes, to, IQ4_VALUES, d);
  }

  /** {@code 2^(e - 128)}: half of the scale, because the table holds doubled values. */
  private static float halfOfE8m0(int e) {
    return Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : (e - 1) << 23);
  }

  /**
   * {@code values[code] * d} for 32 codes. The looked-up bytes wait at the end of the block's own
   * output, from where they are widened in order, each read before it is overwritten.
   */
  private static void lookup(long codes, long to, ByteVector values, FloatVector d) {
    ByteVector q = ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, codes & MASK, LE);
    long waiting = to + 96;
    q.and((byte) 15).selectFrom(values).intoMemorySegment(ALL, waiting & MASK, LE);
    q.lanewise(VectorOperators.LSHR, 4)
        .selectFrom(values)
        .intoMemorySegment(ALL, (waiting + 16) & MASK, LE);
    for (int i = 0; i < 32; i += N) {
      store(toFloat(i8(waiting + i)).mul(d), to + 4 * i);
    }
  }
}
