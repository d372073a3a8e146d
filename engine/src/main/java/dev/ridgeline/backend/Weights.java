package dev.ridgeline.backend;

import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.Tensor;

/** Where a backend finds the bytes of a graph's weights. */
@FunctionalInterface
public interface Weights {
  /**
   * The tensor named {@code name}.
   *
   * @throws IllegalArgumentException if there is none
   */
  Tensor tensor(String name);

  /**
   * The tensor that holds {@code weight}, checked to be of its type and to have its rows.
   *
   * @throws IllegalArgumentException if there is none, or if it has another type or shape
   */
  default Tensor tensor(Weight weight) {
    Tensor tensor = tensor(weight.tensor());
    long end = weight.firstRow() + (long) weight.experts() * weight.rows();
    long rows = tensor.shape().rows();
    if (tensor.type() != weight.type()
        || tensor.shape().ne0() != weight.cols()
        || (weight.experts() > 1 ? rows != end : rows < end)) {
      throw new IllegalArgumentException(
          "tensor '%s' is %s %s; the graph wants %s, rows of %d, %d of them from row %d"
              .formatted(
                  weight.tensor(),
                  tensor.type(),
                  tensor.shape(),
                  weight.type(),
                  weight.cols(),
                  end - weight.firstRow(),
                  weight.firstRow()));
    }
    return tensor;
  }
}
