package dev.ridgeline.quantize.block;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** F32, F16, BF16: rounded to nearest, ties to even; NaN stays NaN. */
final class PlainEncoder implements BlockEncoder {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DType type;
  private short[] halves = {};

  PlainEncoder(DType type) {
    this.type = type;
  }

  @Override
  public void encode(float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset) {
    MemorySegment into = MemorySegment.ofArray(dst);
    if (type == DType.F32) {
      MemorySegment.copy(x, 0, into, FLOAT, dstOffset, n);
      return;
    }
    if (halves.length < n) {
      halves = new short[n];
    }
    if (type == DType.F16) {
      toFloat16(x, halves, n);
    } else {
      toBfloat16(x, halves, n);
    }
    MemorySegment.copy(halves, 0, into, SHORT, dstOffset, n);
  }

  private static void toFloat16(float[] x, short[] into, int n) {
    for (int i = 0; i < n; i++) {
      into[i] = Float.floatToFloat16(x[i]);
    }
  }

  private static void toBfloat16(float[] x, short[] into, int n) {
    for (int i = 0; i < n; i++) {
      int bits = Float.floatToRawIntBits(x[i]);
      int upper = bits >>> 16;
      int rounded = (bits + 0x7FFF + (upper & 1)) >>> 16;
      into[i] = (short) (Float.isNaN(x[i]) ? upper | 0x40 : rounded);
    }
  }
}
