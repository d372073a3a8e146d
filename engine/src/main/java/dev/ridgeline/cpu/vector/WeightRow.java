package dev.ridgeline.cpu.vector;

import dev.ridgeline.tensor.DType;

/**
 * What the product kernels need of one weight format. Elements are whole blocks of the format.
 *
 * <p>Scratch, {@link #SCRATCH_BYTES} bytes aligned to 64, belongs to the calling thread. It begins
 * with the two sums of {@link Dots}.
 */
interface WeightRow {
  /** Most elements unpacked at a time; whole blocks of every format. */
  int PIECE = 2048;

  /** Offset of room for one vector of activations, after the sums and their spare room. */
  int TAIL = 256;

  /** Offset of the scales of the groups of a piece, and what is added to each of their elements. */
  int SCALES = TAIL + 64;

  /** Offset of the piece's codes, one byte each. */
  int CODES = SCALES + 8 * PIECE / 16;

  /** Bytes of scratch. */
  int SCRATCH_BYTES = CODES + PIECE;

  /** Decodes {@code elements} elements at {@code from} to float32 at {@code to}. */
  void decode(long from, long to, int elements, long scratch);

  /**
   * Sums the products of {@code elements} elements with float32 at {@code x}, in the order that
   * {@link Dots} describes, and leaves the two sums at {@code scratch}. Elements after the last
   * whole vector are left out.
   */
  void dot(long from, long x, int elements, long scratch);

  /** The row of {@code type}. */
  static WeightRow of(DType type) {
    return switch (type) {
      case F32 -> PlainRow.F32;
      case F16 -> PlainRow.F16;
      case BF16 -> PlainRow.BF16;
      case Q8_0 -> PlainRow.Q8_0;
      case Q4_0 -> new CodedRow(type, Unpack32::q4_0, CodedRow.Groups.OF_32);
      case Q4_1 -> new CodedRow(type, Unpack32::q4_1, CodedRow.Groups.OF_32_OFFSET);
      case Q5_0 -> new CodedRow(type, Unpack32::q5_0, CodedRow.Groups.OF_32);
      case Q5_1 -> new CodedRow(type, Unpack32::q5_1, CodedRow.Groups.OF_32_OFFSET);
      case IQ4_NL -> new CodedRow(type, Unpack32::iq4_nl, CodedRow.Groups.OF_32);
      case MXFP4 -> new CodedRow(type, Unpack32::mxfp4, CodedRow.Groups.OF_32);
      case Q2_K -> new CodedRow(type, Unpack256::q2_k, CodedRow.Groups.OF_16_OFFSET);
      case Q3_K -> new CodedRow(type, Unpack256::q3_k, CodedRow.Groups.OF_16);
      case Q4_K -> {
        var row = new CodedRow(type, Unpack256::q4_k, CodedRow.Groups.OF_32_OFFSET);
        yield Lanes.BITS == 512 ? new Q4Row(row) : row;
      }
      case Q5_K -> new CodedRow(type, Unpack256::q5_k, CodedRow.Groups.OF_32_OFFSET);
      case Q6_K -> new CodedRow(type, Unpack256::q6_k, CodedRow.Groups.OF_16);
      case IQ4_XS -> new CodedRow(type, Unpack256::iq4_xs, CodedRow.Groups.OF_32);
      case I8, I16, I32, I64, F64 ->
          throw new IllegalArgumentException(type + " is not a weight format");
    };
  }
}
