package dev.ridgeline.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Unaligned little-endian fields of a block, and the integers packed into its bytes. */
final class Bits {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Bits() {}

  static int i8(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_BYTE, at);
  }

  static int u8(MemorySegment s, long at) {
    return i8(s, at) & 0xFF;
  }

  static int u16(MemorySegment s, long at) {
    return s.get(SHORT, at) & 0xFFFF;
  }

  static int i32(MemorySegment s, long at) {
    return s.get(INT, at);
  }

  static float f16(MemorySegment s, long at) {
    return Float.float16ToFloat(s.get(SHORT, at));
  }

  static void put8(MemorySegment s, long at, int value) {
    s.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  static void put16(MemorySegment s, long at, int value) {
    s.set(SHORT, at, (short) value);
  }

  static void put32(MemorySegment s, long at, int value) {
    s.set(INT, at, value);
  }

  /** The {@code count} bits from bit {@code shift} of the byte at {@code at}. */
  static int field(MemorySegment s, long at, int shift, int count) {
    return (u8(s, at) >> shift) & ((1 << count) - 1);
  }

  /**
   * Sets {@code value} from bit {@code shift} of the byte at {@code at}, whose bits are 0 there.
   */
  static void putField(MemorySegment s, long at, int shift, int value) {
    put8(s, at, i8(s, at) | (value << shift));
  }

  /**
   * Stores a scale and returns it as rounded: what decoding will multiply by.
   *
   * @throws IllegalArgumentException if it is past f16's largest number, 65,504
   */
  static float putScale(MemorySegment s, long at, float scale) {
    short bits = Float.floatToFloat16(scale);
    float rounded = Float.float16ToFloat(bits);
    if (!Float.isFinite(rounded)) {
      throw new IllegalArgumentException(
          "elements too large for the format: their scale %s is past 65504".formatted(scale));
    }
    s.set(SHORT, at, bits);
    return rounded;
  }
}
