package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Blocks of 32 elements with one scale. Byte j of {@code qs} holds the low four bits of element j
 * (in its low nibble) and of element j + 16 (in its high nibble); a fifth bit, where there is one,
 * is bit i of the 32-bit {@code qh} for element i.
 *
 * <pre>
 *   Q4_0  18 bytes  d f16, qs[16]             x = (q - 8) * d         q of 4 bits
 *   Q4_1  20 bytes  d f16, m f16, qs[16]      x = q * d + m           q of 4 bits
 *   Q5_0  22 bytes  d f16, qh u32, qs[16]     x = (q - 16) * d        q of 5 bits
 *   Q5_1  24 bytes  d f16, m f16, qh, qs[16]  x = q * d + m           q of 5 bits
 *   Q8_0  34 bytes  d f16, qs[32]             x = q * d               q signed, of 8 bits
 * </pre>
 */
enum LegacyFormats implements Quantization {
  Q4_0(DType.Q4_0, 4, false),
  Q4_1(DType.Q4_1, 4, true),
  Q5_0(DType.Q5_0, 5, false),
  Q5_1(DType.Q5_1, 5, true),
  Q8_0(DType.Q8_0, 8, false) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      float d = Bits.f16(src, offset);
      for (int i = 0; i < BLOCK; i++) {
        dst[dstOffset + i] = Bits.i8(src, offset + 2 + i) * d;
      }
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      float largest = Math.abs(Fit.extreme(src, srcOffset, BLOCK));
      float d = Bits.putScale(dst, offset, largest / 127);
      for (int i = 0; i < BLOCK; i++) {
        Bits.put8(dst, offset + 2 + i, Fit.nearest(src[srcOffset + i] / d, -127, 127));
      }
    }
  };

  private static final int BLOCK = 32;

  private final DType type;
  private final int bits;
  private final boolean hasMin;
  private final int highAt;
  private final int lowAt;

  LegacyFormats(DType type, int bits, boolean hasMin) {
    this.type = type;
    this.bits = bits;
    this.hasMin = hasMin;
    highAt = hasMin ? 4 : 2;
    lowAt = highAt + (bits == 5 ? 4 : 0);
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
    float d = Bits.f16(src, offset);
    float m = hasMin ? Bits.f16(src, offset + 2) : 0;
    int high = bits == 5 ? Bits.i32(src, offset + highAt) : 0;
    for (int i = 0; i < BLOCK; i++) {
      int low = Bits.field(src, offset + lowAt + i % 16, 4 * (i / 16), 4);
      int q = low | (((high >>> i) & 1) << 4);
      dst[dstOffset + i] = hasMin ? q * d + m : (q - (1 << (bits - 1))) * d;
    }
  }

  @Override
  public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
    dst.asSlice(offset, type.blockBytes()).fill((byte) 0);
    int levels = 1 << bits;
    int half = levels / 2;
    float d;
    float m = 0;
    if (hasMin) {
      float lo = src[srcOffset];
      float hi = lo;
      for (int i = srcOffset; i < srcOffset + BLOCK; i++) {
        lo = Math.min(lo, src[i]);
        hi = Math.max(hi, src[i]);
      }
      d = Bits.putScale(dst, offset, hi / (levels - 1) - lo / (levels - 1));
      m = Bits.putScale(dst, offset + 2, lo);
    } else {
      float fit = Fit.scale(src, srcOffset, BLOCK, -half, Fit.range(-half, half - 1));
      d = Bits.putScale(dst, offset, fit);
    }
    int high = 0;
    for (int i = 0; i < BLOCK; i++) {
      float x = src[srcOffset + i];
      int q =
          hasMin
              ? Fit.nearest((x - m) / d, 0, levels - 1)
              : Fit.nearest(x / d, -half, half - 1) + half;
      Bits.putField(dst, offset + lowAt + i % 16, 4 * (i / 16), q & 15);
      high |= (q >> 4) << i;
    }
    if (bits == 5) {
      Bits.put32(dst, offset + highAt, high);
    }
  }
}
