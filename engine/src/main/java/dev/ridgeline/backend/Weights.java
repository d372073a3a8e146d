package dev.ridgeline.backend;

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
}
