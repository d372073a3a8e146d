package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Q3_K: 256 elements in 110 bytes (3.4375 bits each), 16 sub-blocks of 16 with a signed 6-bit
 * scale.
 *
 * <pre>
 *   byte 0    hmask[32]   element i: high bit of q = bit i / 32 of hmask[i % 32]
 *   byte 32   qs[64]      element i: low two bits of q, as in Q2_K
 *   byte 96   scales[12]  sub-block j, s of 6 bits: low four = nibble j / 8 of scales[j % 8],
 *                         high two = bits 2 (j / 4), 2 (j / 4) + 1 of scales[8 + j % 4]
 *   byte 108  d f16
 *   x = (d * (s - 32)) * (q - 4)
 * </pre>
 */
record Q3K() implements Quantization {
  private static final int SUB = 16;
  private static final int QS = 32;
  private static final int SCALES = 96;
  private static final int D = 108;

  @Override
  public DType type() {
    return DType.Q3_K;
  }

  @Override
  public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
    float d = Bits.f16(src, offset + D);
    for (int j = 0; j < 16; j++) {
      int low = Bits.field(src, offset + SCALES + j % 8, 4 * (j / 8), 4);
      int high = Bits.field(src, offset + SCALES + 8 + j % 4, 2 * (j / 4), 2);
      float dl = d * ((low | (high << 4)) - 32);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Bits.field(src, offset + QS + Q2K.byteOf(i), Q2K.shiftOf(i), 2);
        int highBit = Bits.field(src, offset + i % 32, i / 32, 1);
        dst[dstOffset + i] = dl * ((q | (highBit << 2)) - 4);
      }
    }
  }

  @Override
  public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
    dst.asSlice(offset, type().blockBytes()).fill((byte) 0);
    float[] fit = SubScales.symmetric(src, srcOffset, 16, -4, Fit.range(-4, 3));
    float d = Bits.putScale(dst, offset + D, Fit.extreme(fit, 0, 16) / -32);
    for (int j = 0; j < 16; j++) {
      int s = Fit.nearest(fit[j] / d, -32, 31) + 32;
      Bits.putField(dst, offset + SCALES + j % 8, 4 * (j / 8), s & 15);
      Bits.putField(dst, offset + SCALES + 8 + j % 4, 2 * (j / 4), s >> 4);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Fit.nearest(src[srcOffset + i] / (d * (s - 32)), -4, 3) + 4;
        Bits.putField(dst, offset + QS + Q2K.byteOf(i), Q2K.shiftOf(i), q & 3);
        Bits.putField(dst, offset + i % 32, i / 32, q >> 2);
      }
    }
  }
}
