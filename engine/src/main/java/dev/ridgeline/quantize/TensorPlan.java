package dev.ridgeline.quantize;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;

/**
 * What becomes of one tensor.
 *
 * @param from its format in the source
 * @param to its format in the result; the same as {@code from} where it is copied
 * @param substitute whether {@code to} stands in for a format whose blocks the rows do not fill
 * @param weighted whether an importance matrix guides the choice of its bits
 */
public record TensorPlan(
    String name, Shape shape, DType from, DType to, boolean substitute, boolean weighted) {
  /** Bytes in the source. */
  public long sourceBytes() {
    return from.bytes(shape.elements());
  }

  /** Bytes in the result. */
  public long targetBytes() {
    return to.bytes(shape.elements());
  }

  /** Whether the bytes stay as they are. */
  public boolean copied() {
    return from == to;
  }
}
