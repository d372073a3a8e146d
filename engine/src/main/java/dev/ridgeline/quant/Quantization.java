package dev.ridgeline.quant;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * One weight format: how a block's bytes become float32 elements and back. Plain types are blocks
 * of one element. Decoding is the format's definition, bit for bit: float32 arithmetic in ggml's
 * order (scale times sub-scale first, then times the integer, then minus the minimum; never fused).
 * The classes of this package document the layouts; all multi-byte fields are little-endian and no
 * field is aligned. Stateless and safe for use by many threads.
 *
 * <p>Source: {@code ggml-common.h} (layouts), {@code ggml-quants.c} (meaning).
 */
public interface Quantization {
  /** The format. */
  DType type();

  /** Decodes the block at {@code offset} to {@code type().blockElements()} elements. */
  void decodeBlock(MemorySegment src, long offset, float[] dst, int dstOffset);

  /** Encodes {@code type().blockElements()} elements to one block at {@code offset}. */
  void encodeBlock(float[] src, int srcOffset, MemorySegment dst, long offset);

  /**
   * Decodes {@code n} elements of consecutive blocks.
   *
   * @param offset byte at which the first block starts
   * @throws IllegalArgumentException if {@code n} elements do not fill whole blocks
   * @throws IndexOutOfBoundsException if {@code src} or {@code dst} is too short
   */
  default void decode(MemorySegment src, long offset, float[] dst, int dstOffset, int n) {
    long end = type().bytes(n);
    int d = dstOffset;
    for (long at = 0; at < end; at += type().blockBytes()) {
      decodeBlock(src, offset + at, dst, d);
      d += type().blockElements();
    }
  }

  /**
   * Encodes {@code n} elements to consecutive blocks: scales are chosen for a small squared error,
   * then every element takes the level nearest to it.
   *
   * @param offset byte at which the first block starts
   * @throws IllegalArgumentException if {@code n} elements do not fill whole blocks, or if an
   *     element is not finite or too large for the format's scale (quantized formats only)
   * @throws IndexOutOfBoundsException if {@code src} or {@code dst} is too short
   */
  default void encode(float[] src, int srcOffset, MemorySegment dst, long offset, int n) {
    long end = type().bytes(n);
    if (type().isQuantized()) {
      for (int i = srcOffset; i < srcOffset + n; i++) {
        if (!Float.isFinite(src[i])) {
          throw new IllegalArgumentException(
              "element %d is %s; %s holds finite numbers only".formatted(i, src[i], type()));
        }
      }
    }
    int s = srcOffset;
    for (long at = 0; at < end; at += type().blockBytes()) {
      encodeBlock(src, s, dst, offset + at);
      s += type().blockElements();
    }
  }

  /**
   * The format of {@code type}.
   *
   * @throws IllegalArgumentException if weights cannot have this type
   */
  static Quantization of(DType type) {
    return switch (type) {
      case F32 -> PlainFormats.F32;
      case F16 -> PlainFormats.F16;
      case BF16 -> PlainFormats.BF16;
      case Q4_0 -> LegacyFormats.Q4_0;
      case Q4_1 -> LegacyFormats.Q4_1;
      case Q5_0 -> LegacyFormats.Q5_0;
      case Q5_1 -> LegacyFormats.Q5_1;
      case Q8_0 -> LegacyFormats.Q8_0;
      case Q2_K -> new Q2K();
      case Q3_K -> new Q3K();
      case Q4_K -> Q4K.Q4_K;
      case Q5_K -> Q4K.Q5_K;
      case Q6_K -> new Q6K();
      case IQ4_NL -> CodebookFormats.IQ4_NL;
      case IQ4_XS -> CodebookFormats.IQ4_XS;
      case MXFP4 -> CodebookFormats.MXFP4;
      case I8, I16, I32, I64, F64 ->
          throw new IllegalArgumentException(type + " is not a weight format");
    };
  }
}
