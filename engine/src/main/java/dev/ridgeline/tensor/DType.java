package dev.ridgeline.tensor;

import java.util.Optional;

/**
 * Element types of GGUF tensors: ggml's id, and how many elements one block holds in how many
 * bytes. What the bits of a block mean is {@code quant}'s business.
 *
 * <p>Source: {@code ggml.h} (ids), {@code ggml-common.h} (block layouts).
 */
public enum DType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  IQ4_NL(20, 32, 18),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  BF16(30, 1, 2),
  MXFP4(39, 32, 17);

  private static final DType[] BY_ID = new DType[64];

  static {
    for (DType type : values()) {
      BY_ID[type.id] = type;
    }
  }

  private final int id;
  private final int blockElements;
  private final int blockBytes;

  DType(int id, int blockElements, int blockBytes) {
    this.id = id;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /** ggml's id of this type, as files store it. */
  public int id() {
    return id;
  }

  /** Elements in one block; 1 for plain types. */
  public int blockElements() {
    return blockElements;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Whether elements are packed in blocks with a shared scale. */
  public boolean isQuantized() {
    return blockElements > 1;
  }

  /** Whether a weight may have this type (the integer types and F64 carry no weights). */
  public boolean isWeight() {
    return isQuantized() || this == F32 || this == F16 || this == BF16;
  }

  /**
   * Bytes of {@code elements} elements.
   *
   * @throws IllegalArgumentException if they do not fill whole blocks
   * @throws ArithmeticException if the product overflows
   */
  public long bytes(long elements) {
    if (elements % blockElements != 0) {
      throw new IllegalArgumentException(
          elements + " elements do not fill whole blocks of " + blockElements + " (" + this + ")");
    }
    return Math.multiplyExact(elements / blockElements, (long) blockBytes);
  }

  /** The type with ggml's id {@code id}, if it is one of these. */
  public static Optional<DType> ofId(long id) {
    return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.ofNullable(BY_ID[(int) id]);
  }
}
