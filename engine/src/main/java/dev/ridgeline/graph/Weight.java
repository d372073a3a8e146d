package dev.ridgeline.graph;

import dev.ridgeline.tensor.DType;

/**
 * A weight as an op uses it: a tensor of the file, or a band of its rows (a file that stores Q, K
 * and V in one tensor gives three bands). Expert tensors stack {@code experts} matrices of {@code
 * rows} rows each; vectors (norms, biases) have one row.
 *
 * @param tensor the tensor's name in the file
 * @param type element type in the file
 * @param cols elements of a row (the input width of a product)
 * @param rows rows of the band (the output width of a product), per expert
 * @param firstRow first row of the band within the tensor; 0 for a whole tensor and for experts
 * @param experts matrices stacked in the tensor; 1 for a plain matrix
 */
public record Weight(String tensor, DType type, int cols, int rows, int firstRow, int experts) {
  /** A whole plain matrix or vector. */
  public Weight(String tensor, DType type, int cols, int rows) {
    this(tensor, type, cols, rows, 0, 1);
  }

  /** Rejects impossible bands. */
  public Weight {
    if (cols <= 0 || rows <= 0 || firstRow < 0 || experts <= 0 || (experts > 1 && firstRow > 0)) {
      throw new IllegalArgumentException(
          "weight '%s': cols %d, rows %d, first row %d, experts %d"
              .formatted(tensor, cols, rows, firstRow, experts));
    }
  }

  /** Rows {@code from} (inclusive) to {@code from + count} of this weight, as a weight. */
  public Weight band(int from, int count) {
    if (experts != 1 || from < 0 || count <= 0 || from + count > rows) {
      throw new IllegalArgumentException(
          "weight '%s' has rows 0..%d; asked for %d..%d"
              .formatted(tensor, rows, from, from + count));
    }
    return new Weight(tensor, type, cols, count, firstRow + from, 1);
  }

  /** Bytes of all rows of all experts. */
  public long bytes() {
    return type.bytes(cols) * rows * experts;
  }

  /** Bytes of one expert's matrix (all of it, for a plain one). */
  public long bytesPerExpert() {
    return type.bytes(cols) * rows;
  }
}
