package dev.ridgeline.quantize.block;

import dev.ridgeline.tensor.DType;
import org.jspecify.annotations.Nullable;

/**
 * Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: 32 elements, the scale from the extremes alone, as the reference
 * engine has it; a search over scales where there is an importance matrix (but not for Q8_0, whose
 * errors are too small to matter).
 *
 * <pre>
 *   Q4_0, Q5_0   d = extreme / -8 or -16, signed        q = trunc(x / d + 8.5 or 16.5)
 *   Q4_1, Q5_1   d = (max - min) / 15 or 31, m = min    q = trunc((x - m) / d + 0.5)
 *   Q8_0         d = max|x| / 127                       q = round(x / d), ties away from 0
 * </pre>
 */
final class LegacyEncoder implements BlockEncoder {
  private static final int BLOCK = 32;

  private final DType type;
  private final int[] q = new int[BLOCK];
  private @Nullable BlockEncoder search;

  LegacyEncoder(DType type) {
    this.type = type;
  }

  @Override
  public void encode(float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset) {
    if (importance != null && type != DType.Q8_0) {
      search().encode(x, importance, n, dst, dstOffset);
      return;
    }
    int at = dstOffset;
    for (int i = 0; i < n; i += BLOCK) {
      switch (type) {
        case Q8_0 -> q8(x, i, dst, at);
        case Q4_0, Q5_0 -> withScale(x, i, dst, at);
        default -> withMin(x, i, dst, at);
      }
      at += type.blockBytes();
    }
  }

  /** Most files have no importance matrix and need no searches. */
  private BlockEncoder search() {
    if (search == null) {
      search =
          type == DType.Q4_0 || type == DType.Q5_0 ? new ScaleEncoder(type) : new MinEncoder(type);
    }
    return search;
  }

  private static void q8(float[] x, int from, byte[] dst, int at) {
    float d = largest(x, from) / 127;
    float inverse = inverse(d);
    Half.put(dst, at, d);
    for (int i = 0; i < BLOCK; i++) {
      float v = x[from + i] * inverse;
      int whole = (int) v;
      // Half or more of the rest counts; adding 0.5 to v would not be exact.
      dst[at + 2 + i] = (byte) (whole + (int) ((v - whole) * 2));
    }
  }

  private static float inverse(float d) {
    return Float.isInfinite(1 / d) ? 0 : 1 / d;
  }

  /**
   * Orders floats as integers, which have a maximum in one instruction; its own inverse. -0 comes
   * before 0.
   */
  private static int ordered(int bits) {
    return bits ^ bits >> 31 & Integer.MAX_VALUE;
  }

  private void withScale(float[] x, int from, byte[] dst, int at) {
    float extreme = extreme(x, from);
    int half = type == DType.Q4_0 ? 8 : 16;
    float d = extreme / -half;
    float inverse = inverse(d);
    float middle = half + 0.5f;
    Half.put(dst, at, d);
    for (int i = 0; i < BLOCK; i++) {
      q[i] = Math.min(2 * half - 1, (int) (x[from + i] * inverse + middle));
    }
    pack(dst, at + 2);
  }

  /** The element of the largest magnitude, the first of several. */
  private static float extreme(float[] x, int from) {
    float largest = largest(x, from);
    int at = from;
    while (Math.abs(x[at]) != largest) {
      at++;
    }
    return x[at];
  }

  /** Magnitudes as integers, which order alike; four chains, as each maximum takes two cycles. */
  private static float largest(float[] x, int from) {
    int a = 0;
    int b = 0;
    int c = 0;
    int d = 0;
    for (int i = from; i < from + BLOCK; i += 4) {
      a = Math.max(a, Float.floatToRawIntBits(x[i]) & Integer.MAX_VALUE);
      b = Math.max(b, Float.floatToRawIntBits(x[i + 1]) & Integer.MAX_VALUE);
      c = Math.max(c, Float.floatToRawIntBits(x[i + 2]) & Integer.MAX_VALUE);
      d = Math.max(d, Float.floatToRawIntBits(x[i + 3]) & Integer.MAX_VALUE);
    }
    return Float.intBitsToFloat(Math.max(Math.max(a, b), Math.max(c, d)));
  }

  private void withMin(float[] x, int from, byte[] dst, int at) {
    int lowest = Integer.MAX_VALUE;
    int highest = Integer.MIN_VALUE;
    for (int i = from; i < from + BLOCK; i++) {
      int v = ordered(Float.floatToRawIntBits(x[i]));
      lowest = Math.min(lowest, v);
      highest = Math.max(highest, v);
    }
    float min = Float.intBitsToFloat(ordered(lowest));
    int most = type == DType.Q4_1 ? 15 : 31;
    float d = (Float.intBitsToFloat(ordered(highest)) - min) / most;
    float inverse = inverse(d);
    Half.put(dst, at, d);
    Half.put(dst, at + 2, min);
    for (int i = 0; i < BLOCK; i++) {
      q[i] = Math.min(most, (int) ((x[from + i] - min) * inverse + 0.5f));
    }
    pack(dst, at + 4);
  }

  /** Fifth bits, where there are any, and nibbles. */
  private void pack(byte[] dst, int at) {
    int nibbles = at;
    if (type == DType.Q5_0 || type == DType.Q5_1) {
      int high = 0;
      for (int i = 0; i < BLOCK; i++) {
        high |= (q[i] >> 4) << i;
      }
      for (int k = 0; k < 4; k++) {
        dst[at + k] = (byte) (high >> (8 * k));
      }
      nibbles += 4;
    }
    for (int j = 0; j < BLOCK / 2; j++) {
      dst[nibbles + j] = (byte) (q[j] & 15 | q[j + BLOCK / 2] << 4);
    }
  }
}
