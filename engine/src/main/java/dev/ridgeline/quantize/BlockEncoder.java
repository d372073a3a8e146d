package dev.ridgeline.quantize;

import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the bits of blocks such that a weighted sum of squared errors is small. Has scratch
 * memory of its own: one for each thread.
 */
interface BlockEncoder {
  /**
   * Encodes {@code n} elements, whole blocks, to {@code dst} from {@code dstOffset} on.
   *
   * @param x finite elements
   * @param importance what an error of each element costs, beside what the format itself makes of
   *     the element's size; null = all alike
   */
  void encode(float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset);

  /** An encoder of {@code type}. */
  static BlockEncoder of(DType type) {
    Quantization format = Quantization.of(type);
    return (x, _, n, dst, at) -> format.encode(x, 0, MemorySegment.ofArray(dst), at, n);
  }
}
