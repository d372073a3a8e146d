package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Q4_K (144 bytes, 4.5 bits an element) and Q5_K (176 bytes, 5.5 bits): 256 elements, 8 sub-blocks
 * of 32 with a 6-bit scale and a 6-bit minimum.
 *
 * <pre>
 *   byte 0    d f16
 *   byte 2    dmin f16
 *   byte 4    scales[12]  sub-block j below 4: scale = low 6 bits of scales[j],
 *                                              min   = low 6 bits of scales[j + 4]
 *                         sub-block j from 4:  scale = low nibble of scales[j + 4], and bits 6, 7 of
 *                                                      scales[j - 4] above it
 *                                              min   = high nibble of scales[j + 4], and bits 6, 7
 *                                                      of scales[j] above it
 *   byte 16   qh[32]      Q5_K only; element i: fifth bit of q = bit i / 32 of qh[i % 32]
 *   then      qs[128]     element i: nibble i / 32 % 2 of qs[32 (i / 64) + i % 32]
 *   x = (d * scale) * q - (dmin * min)
 * </pre>
 */
enum Q4K implements Quantization {
  Q4_K(DType.Q4_K, 15, 16),
  Q5_K(DType.Q5_K, 31, 48);

  private static final int SUB = 32;
  private static final int SCALES = 4;
  private static final int QH = 16;

  private final DType type;
  private final int maxQ;
  private final int qs;

  Q4K(DType type, int maxQ, int qs) {
    this.type = type;
    this.maxQ = maxQ;
    this.qs = qs;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
    float d = Bits.f16(src, offset);
    float dmin = Bits.f16(src, offset + 2);
    for (int j = 0; j < 8; j++) {
      float dl = d * scale(src, offset + SCALES, j);
      float ml = dmin * min(src, offset + SCALES, j);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Bits.field(src, offset + qs + byteOf(i), shiftOf(i), 4);
        if (maxQ == 31) {
          q |= Bits.field(src, offset + QH + i % 32, i / 32, 1) << 4;
        }
        dst[dstOffset + i] = dl * q - ml;
      }
    }
  }

  @Override
  public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
    dst.asSlice(offset, type.blockBytes()).fill((byte) 0);
    var fit = SubScales.affine(src, srcOffset, 8, maxQ, 63);
    float d = Bits.putScale(dst, offset, fit.d());
    float dmin = Bits.putScale(dst, offset + 2, fit.dmin());
    for (int j = 0; j < 8; j++) {
      int scale = fit.scaleLevel(j, d);
      int min = fit.minLevel(j, dmin);
      putScaleAndMin(dst, offset + SCALES, j, scale, min);
      for (int i = SUB * j; i < SUB * (j + 1); i++) {
        int q = Fit.nearest((src[srcOffset + i] + dmin * min) / (d * scale), 0, maxQ);
        Bits.putField(dst, offset + qs + byteOf(i), shiftOf(i), q & 15);
        if (maxQ == 31) {
          Bits.putField(dst, offset + QH + i % 32, i / 32, q >> 4);
        }
      }
    }
  }

  private static int byteOf(int i) {
    return 32 * (i / 64) + i % 32;
  }

  private static int shiftOf(int i) {
    return 4 * (i / 32 % 2);
  }

  private static int scale(MemorySegment src, long scales, int j) {
    return j < 4
        ? Bits.field(src, scales + j, 0, 6)
        : Bits.field(src, scales + j + 4, 0, 4) | (Bits.field(src, scales + j - 4, 6, 2) << 4);
  }

  private static int min(MemorySegment src, long scales, int j) {
    return j < 4
        ? Bits.field(src, scales + j + 4, 0, 6)
        : Bits.field(src, scales + j + 4, 4, 4) | (Bits.field(src, scales + j, 6, 2) << 4);
  }

  private static void putScaleAndMin(MemorySegment dst, long scales, int j, int scale, int min) {
    if (j < 4) {
      Bits.putField(dst, scales + j, 0, scale);
      Bits.putField(dst, scales + j + 4, 0, min);
    } else {
      Bits.putField(dst, scales + j + 4, 0, scale & 15);
      Bits.putField(dst, scales + j + 4, 4, min & 15);
      Bits.putField(dst, scales + j - 4, 6, scale >> 4);
      Bits.putField(dst, scales + j, 6, min >> 4);
    }
  }
}
