package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Q2_K: 256 elements in 84 bytes (2.625 bits each), 16 sub-blocks of 16 with a 4-bit scale and a
 * 4-bit minimum.
 *
 * <pre>
 *   byte 0   scales[16]  sub-block j: scale in the low nibble, minimum in the high nibble
 *   byte 16  qs[64]      element i: bits 2p, 2p+1 of qs[32 (i / 128) + i % 32], p = i % 128 / 32
 *   byte 80  d f16
 *   byte 82  dmin f16
 *   x = (d * scale) * q - (dmin * min)
 * </pre>
 */
record Q2K() implements Quantization {
  private static final int SUB = 16;
  private static final int QS = 16;
  private static final int D = 80;

  @Override
  public DType type() {
    return DType.Q2_K;
  }

  @Override
  public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
    float d = Bits.f16(src, offset + D);
    float dmin = Bits.f16(src, offset + D + 2);
    for (int j = 0; j < 16; j++) {
      float dl = d * Bits.field(src, offset + j, 0, 4);
      float ml = dmin * Bits.field(src, offset + j, 4, 4);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Bits.field(src, offset + QS + byteOf(i), shiftOf(i), 2);
        dst[dstOffset + i] = dl * q - ml;
      }
    }
  }

  @Override
  public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
    dst.asSlice(offset, type().blockBytes()).fill((byte) 0);
    var fit = SubScales.affine(src, srcOffset, 16, 3, 15);
    float d = Bits.putScale(dst, offset + D, fit.d());
    float dmin = Bits.putScale(dst, offset + D + 2, fit.dmin());
    for (int j = 0; j < 16; j++) {
      int scale = fit.scaleLevel(j, d);
      int min = fit.minLevel(j, dmin);
      Bits.put8(dst, offset + j, scale | (min << 4));
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Fit.nearest((src[srcOffset + i] + dmin * min) / (d * scale), 0, 3);
        Bits.putField(dst, offset + QS + byteOf(i), shiftOf(i), q);
      }
    }
  }

  /** Byte of {@code qs} that holds two bits of element i; Q3_K's low bits lie alike. */
  static int byteOf(int i) {
    return 32 * (i / 128) + i % 32;
  }

  /** Where in that byte. */
  static int shiftOf(int i) {
    return 2 * (i % 128 / 32);
  }
}
