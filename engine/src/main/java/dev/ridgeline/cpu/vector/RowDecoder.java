package dev.ridgeline.cpu.vector;

import dev.ridgeline.tensor.DType;

/** Whole blocks of one weight format to float32. */
@FunctionalInterface
public interface RowDecoder {
  /** Decodes {@code elements} elements (whole blocks) at {@code from} to float32 at {@code to}. */
  void decode(long from, long to, int elements);

  /** The decoder of {@code type}. */
  static RowDecoder of(DType type) {
    WeightRow row = WeightRow.of(type);
    return (from, to, elements) -> row.decode(from, to, elements, ThreadScratch.address());
  }
}
