package dev.ridgeline.backend;

import dev.ridgeline.tensor.DType;

/** Element types of the KV cache. */
public enum KvType {
  /** Exact to 11 bits; 2 bytes an element. */
  F16(DType.F16),
  /** Blocks of 32 along the head, 34 bytes a block; heads must be multiples of 32 wide. */
  Q8_0(DType.Q8_0);

  private final DType type;

  KvType(DType type) {
    this.type = type;
  }

  /** The element type. */
  public DType type() {
    return type;
  }
}
