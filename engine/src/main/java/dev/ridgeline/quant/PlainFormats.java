package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/** Formats of one element a block. Encoding rounds to nearest, ties to even; NaN stays NaN. */
enum PlainFormats implements Quantization {
  /** IEEE 754 binary32. */
  F32(DType.F32) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      dst[dstOffset] = Float.intBitsToFloat(Bits.i32(src, offset));
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      Bits.put32(dst, offset, Float.floatToRawIntBits(src[srcOffset]));
    }
  },
  /** IEEE 754 binary16. */
  F16(DType.F16) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      dst[dstOffset] = Bits.f16(src, offset);
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      Bits.put16(dst, offset, Float.floatToFloat16(src[srcOffset]));
    }
  },
  /** The upper half of a binary32. */
  BF16(DType.BF16) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      dst[dstOffset] = Float.intBitsToFloat(Bits.u16(src, offset) << 16);
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      int bits = Float.floatToRawIntBits(src[srcOffset]);
      int upper = bits >>> 16;
      int tiesToEven = 0x7FFF + (upper & 1);
      boolean nan = Float.isNaN(src[srcOffset]);
      Bits.put16(dst, offset, nan ? upper | 0x40 : (bits + tiesToEven) >>> 16);
    }
  };

  private final DType type;

  PlainFormats(DType type) {
    this.type = type;
  }

  @Override
  public DType type() {
    return type;
  }
}
