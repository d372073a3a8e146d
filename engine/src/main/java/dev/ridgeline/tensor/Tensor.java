package dev.ridgeline.tensor;

import java.lang.foreign.MemorySegment;

/**
 * A named, contiguous tensor: rows of {@code shape.ne0()} elements one after the other, each row
 * whole blocks of {@code type}. A view: it owns nothing and is valid as long as {@code data} is.
 */
public record Tensor(String name, DType type, Shape shape, MemorySegment data) {
  /** Checks that {@code data} is exactly as long as the type and the shape say. */
  public Tensor {
    if (shape.ne0() % type.blockElements() != 0) {
      throw new IllegalArgumentException(
          "tensor '%s': rows of %d elements do not fill whole %s blocks of %d"
              .formatted(name, shape.ne0(), type, type.blockElements()));
    }
    long expected = type.bytes(shape.elements());
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "tensor '%s' %s %s needs %d bytes, its data has %d"
              .formatted(name, type, shape, expected, data.byteSize()));
    }
  }

  /** Bytes of one row. */
  public long rowBytes() {
    return type.bytes(shape.ne0());
  }
}
