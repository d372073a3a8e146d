package dev.ridgeline.cpu.vector;

import dev.ridgeline.tensor.DType;

/** Whole blocks of one weight format to float32. */
@FunctionalInterface
public interface RowDecoder {
  /** Decodes {@code elements} elements (whole blocks) at {@code from} to float32 at {@code to}. */
  void decode(long from, long to, int elements);

  /** The decoder of {@code type}. */
  static RowDecoder of(DType type) {
    return switch (type) {
      case F32 -> DecodePlain::f32;
      case F16 -> DecodePlain::f16;
      case BF16 -> DecodePlain::bf16;
      case Q4_0 -> Decode32::q4_0;
      case Q4_1 -> Decode32::q4_1;
      case Q5_0 -> Decode32::q5_0;
      case Q5_1 -> Decode32::q5_1;
      case Q8_0 -> Decode32::q8_0;
      case IQ4_NL -> Decode32::iq4_nl;
      case MXFP4 -> Decode32::mxfp4;
      case Q2_K -> Decode256::q2_k;
      case Q3_K -> Decode256::q3_k;
      case Q4_K -> Decode256::q4_k;
      case Q5_K -> Decode256::q5_k;
      case Q6_K -> Decode256::q6_k;
      case IQ4_XS -> Decode256::iq4_xs;
      case I8, I16, I32, I64, F64 ->
          throw new IllegalArgumentException(type + " is not a weight format");
    };
  }
}
