package dev.ridgeline.quantize.block;

/** Scales as blocks store them. */
final class Half {
  private Half() {}

  /** {@code scale} as float16 rounds it. */
  static float round(float scale) {
    return Float.float16ToFloat(Float.floatToFloat16(scale));
  }

  /**
   * Stores {@code scale}, little-endian.
   *
   * @throws IllegalArgumentException if it is past float16's largest number
   */
  static void put(byte[] dst, int at, float scale) {
    short bits = Float.floatToFloat16(scale);
    if ((bits & 0x7C00) == 0x7C00) {
      throw new IllegalArgumentException(
          "elements too large for the format: their scale %s is past 65504".formatted(scale));
    }
    dst[at] = (byte) bits;
    dst[at + 1] = (byte) (bits >> 8);
  }
}
