package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Formats whose four bits index a table of 16 integers. Within a group of 32 elements, byte j holds
 * the index of element j in its low nibble and of element j + 16 in its high nibble.
 *
 * <pre>
 *   IQ4_NL  32 elements, 18 bytes    d f16, qs[16]
 *           x = d * IQ4[index]
 *   IQ4_XS  256 elements, 136 bytes  d f16, scales_h u16, scales_l[4], qs[128]
 *           group j of 32: s of 6 bits: low four = nibble j % 2 of scales_l[j / 2],
 *           high two = bits 2j, 2j+1 of scales_h; indices in qs[16 j .. 16 j + 15]
 *           x = (d * (s - 32)) * IQ4[index]
 *   MXFP4   32 elements, 17 bytes    e u8, qs[16]
 *           x = E2M1[index] * 2^(e - 128), E2M1 holding twice the values of that 4-bit float
 *           (OCP Microscaling Formats 1.0). e = 0 and 1 give subnormal scales; 255, which the
 *           standard calls NaN, is 2^127 here as in ggml
 * </pre>
 */
enum CodebookFormats implements Quantization {
  IQ4_NL(DType.IQ4_NL) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      decodeGroup(src, offset + 2, IQ4, Bits.f16(src, offset), dst, dstOffset);
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      float fit = Fit.scale(src, srcOffset, GROUP, IQ4[0], v -> IQ4[indexOf(v, IQ4)]);
      encodeGroup(src, srcOffset, IQ4, Bits.putScale(dst, offset, fit), dst, offset + 2);
    }
  },

  IQ4_XS(DType.IQ4_XS) {
    private static final int SCALES_H = 2;
    private static final int SCALES_L = 4;
    private static final int QS = 8;

    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      float d = Bits.f16(src, offset);
      int scalesHigh = Bits.u16(src, offset + SCALES_H);
      for (int j = 0; j < 8; j++) {
        int low = Bits.field(src, offset + SCALES_L + j / 2, 4 * (j % 2), 4);
        int high = (scalesHigh >> (2 * j)) & 3;
        float dl = d * ((low | (high << 4)) - 32);
        decodeGroup(src, offset + QS + 16L * j, IQ4, dl, dst, dstOffset + GROUP * j);
      }
    }

    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      dst.asSlice(offset, QS).fill((byte) 0);
      float[] fit = SubScales.symmetric(src, srcOffset, 8, IQ4[0], v -> IQ4[indexOf(v, IQ4)]);
      float d = Bits.putScale(dst, offset, Fit.extreme(fit, 0, 8) / -32);
      int scalesHigh = 0;
      for (int j = 0; j < 8; j++) {
        int s = Fit.nearest(fit[j] / d, -32, 31) + 32;
        Bits.putField(dst, offset + SCALES_L + j / 2, 4 * (j % 2), s & 15);
        scalesHigh |= (s >> 4) << (2 * j);
        encodeGroup(src, srcOffset + GROUP * j, IQ4, d * (s - 32), dst, offset + QS + 16L * j);
      }
      Bits.put16(dst, offset + SCALES_H, scalesHigh);
    }
  },

  MXFP4(DType.MXFP4) {
    @Override
    public void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset) {
      decodeGroup(src, offset + 1, E2M1, powerOfTwo(Bits.u8(src, offset)), dst, dstOffset);
    }

    // The exponent that takes the extreme to 4..8 clips what is past 6; one more does not.
    @Override
    public void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset) {
      float extreme = Fit.extreme(src, srcOffset, GROUP);
      int e = Math.clamp(Math.getExponent(extreme) - 2 + 127, 0, 254);
      double clipped = squaredError(src, srcOffset, powerOfTwo(e));
      int best = clipped <= squaredError(src, srcOffset, powerOfTwo(e + 1)) ? e : e + 1;
      Bits.put8(dst, offset, best);
      encodeGroup(src, srcOffset, E2M1, powerOfTwo(best), dst, offset + 1);
    }

    // 2^(e - 128), exact: subnormal for e of 0 and 1.
    private static float powerOfTwo(int e) {
      return Math.scalb(1f, e - 128);
    }

    private static double squaredError(float[] src, int srcOffset, float scale) {
      double sum = 0;
      for (int i = srcOffset; i < srcOffset + GROUP; i++) {
        double error = src[i] - (double) scale * E2M1[indexOf(src[i] / scale, E2M1)];
        sum += error * error;
      }
      return sum;
    }
  };

  private static final int GROUP = 32;

  /** Fitted to the distribution of weights; not symmetric, 0 is not among them. */
  private static final int[] IQ4 = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  /** Twice the 4-bit floats (sign, two exponent bits, one mantissa bit); index 8 is a plain 0. */
  private static final int[] E2M1 = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  private final DType type;

  CodebookFormats(DType type) {
    this.type = type;
  }

  @Override
  public DType type() {
    return type;
  }

  private static void decodeGroup(
      MemorySegment src, long qs, int[] table, float scale, float[] dst, int dstOffset) {
    for (int i = 0; i < GROUP; i++) {
      dst[dstOffset + i] = scale * table[Bits.field(src, qs + i % 16, 4 * (i / 16), 4)];
    }
  }

  private static void encodeGroup(
      float[] src, int srcOffset, int[] table, float scale, MemorySegment dst, long qs) {
    for (int j = 0; j < 16; j++) {
      int low = indexOf(src[srcOffset + j] / scale, table);
      int high = indexOf(src[srcOffset + j + 16] / scale, table);
      Bits.put8(dst, qs + j, low | (high << 4));
    }
  }

  /** Index of the entry nearest to {@code v}; of the one nearest to 0 for a NaN (0 / 0). */
  private static int indexOf(float v, int[] table) {
    float wanted = Float.isNaN(v) ? 0 : v;
    int best = 0;
    for (int i = 1; i < table.length; i++) {
      if (Math.abs(wanted - table[i]) < Math.abs(wanted - table[best])) {
        best = i;
      }
    }
    return best;
  }
}
