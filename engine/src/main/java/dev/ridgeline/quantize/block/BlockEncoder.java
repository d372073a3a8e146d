package dev.ridgeline.quantize.block;

import dev.ridgeline.tensor.DType;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the bits of blocks such that a weighted sum of squared errors is small. Has scratch
 * memory of its own: one for each thread.
 */
public interface BlockEncoder {
  /**
   * Encodes {@code n} elements, whole blocks, to {@code dst} from {@code dstOffset} on.
   *
   * @param x finite elements
   * @param importance what an error of each element costs, beside what the format itself makes of
   *     the element's size; null = all alike
   * @throws IllegalArgumentException if elements are too large for the format's scales
   */
  void encode(float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset);

  /** An encoder of {@code type}. */
  static BlockEncoder of(DType type) {
    return switch (type) {
      case F32, F16, BF16 -> new PlainEncoder(type);
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> new LegacyEncoder(type);
      case IQ4_NL -> new ScaleEncoder(type);
      case MXFP4 -> new Mxfp4Encoder();
      case Q2_K, Q4_K, Q5_K -> new AffineSuperBlocks(type);
      case Q3_K, Q6_K, IQ4_XS -> new SymmetricSuperBlocks(type);
      case I8, I16, I32, I64, F64 ->
          throw new IllegalArgumentException(type + " is not a weight format");
    };
  }
}
