package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Q6_K: 256 elements in 210 bytes (6.5625 bits each), 16 sub-blocks of 16 with a signed 8-bit
 * scale. With h = i / 128 and p = i % 128 / 32 (half and quarter of element i):
 *
 * <pre>
 *   byte 0    ql[128]     low four bits of q = nibble p / 2 of ql[64 h + 32 (p % 2) + i % 32]
 *   byte 128  qh[64]      high two bits of q = bits 2p, 2p+1 of qh[32 h + i % 32]
 *   byte 192  scales[16]  signed, of sub-block i / 16
 *   byte 208  d f16
 *   x = (d * scale) * (q - 32)
 * </pre>
 */
record Q6K() implements Quantization {
  private static final int SUB = 16;
  private static final int QH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  @Override
  public DType type() {
    return DType.Q6_K;
  }

  @Override
  public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
    float d = Bits.f16(src, offset + D);
    for (int j = 0; j < 16; j++) {
      float dl = d * Bits.i8(src, offset + SCALES + j);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int low = Bits.field(src, offset + lowByteOf(i), lowShiftOf(i), 4);
        int high = Bits.field(src, offset + QH + Q2K.byteOf(i), Q2K.shiftOf(i), 2);
        dst[dstOffset + i] = dl * ((low | (high << 4)) - 32);
      }
    }
  }

  @Override
  public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
    dst.asSlice(offset, type().blockBytes()).fill((byte) 0);
    float[] fit = SubScales.symmetric(src, srcOffset, 16, -32, Fit.range(-32, 31));
    float d = Bits.putScale(dst, offset + D, Fit.extreme(fit, 0, 16) / -128);
    for (int j = 0; j < 16; j++) {
      int scale = Fit.nearest(fit[j] / d, -128, 127);
      Bits.put8(dst, offset + SCALES + j, scale);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Fit.nearest(src[srcOffset + i] / (d * scale), -32, 31) + 32;
        Bits.putField(dst, offset + lowByteOf(i), lowShiftOf(i), q & 15);
        Bits.putField(dst, offset + QH + Q2K.byteOf(i), Q2K.shiftOf(i), q >> 4);
      }
    }
  }

  private static int lowByteOf(int i) {
    return 64 * (i / 128) + i % 64;
  }

  private static int lowShiftOf(int i) {
    return 4 * (i % 128 / 64);
  }
}
