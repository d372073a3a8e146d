package dev.ridgeline.quantize;

import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads elements of a tensor as float32. Has scratch memory: one for each thread. */
final class SourceReader {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final short[] halves;

  /**
   * @param most elements read at once
   */
  SourceReader(int most) {
    halves = new short[most];
  }

  /** Reads elements {@code first..first + n}, whole blocks. */
  void read(Tensor from, long first, float[] into, int n) {
    long at = from.type().bytes(first);
    DType type = from.type();
    if (type == DType.F32) {
      MemorySegment.copy(from.data(), FLOAT, at, into, 0, n);
    } else if (type == DType.F16) {
      MemorySegment.copy(from.data(), SHORT, at, halves, 0, n);
      widen(into, n);
    } else if (type == DType.BF16) {
      MemorySegment.copy(from.data(), SHORT, at, halves, 0, n);
      for (int i = 0; i < n; i++) {
        into[i] = Float.intBitsToFloat(halves[i] << 16);
      }
    } else {
      Quantization.of(type).decode(from.data(), at, into, 0, n);
    }
  }

  private void widen(float[] into, int n) {
    for (int i = 0; i < n; i++) {
      into[i] = Float.float16ToFloat(halves[i]);
    }
  }
}
