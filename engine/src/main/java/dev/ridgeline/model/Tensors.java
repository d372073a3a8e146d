package dev.ridgeline.model;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Where an architecture asks for its weights, by name and shape: in a file ({@link FileTensors}) or
 * on a list of what a file would need ({@link RequestedTensors}).
 */
interface Tensors {
  /** Tensors there are, or could be. */
  int count();

  /** Whether there is a tensor that a model may have or not. */
  boolean has(String name);

  /** Rows of the matrix {@code name}, for a size that no key gives. */
  int rowsOf(String name);

  /**
   * The type of the tensor {@code name}, which must have this shape.
   *
   * @param vector whether it must be float32, as vectors are in every GGUF file
   */
  DType type(String name, Shape shape, boolean vector);

  /** The error for a tensor that does not fit. */
  GgufException refuse(String name, String problem);

  /** A matrix of {@code rows} rows of {@code cols} elements. */
  default Weight matrix(String name, int cols, int rows) {
    return new Weight(name, type(name, Shape.of(cols, rows), false), cols, rows);
  }

  /** {@code experts} such matrices stacked in one tensor. */
  default Weight experts(String name, int cols, int rows, int experts) {
    DType type = type(name, Shape.of(cols, rows, experts), false);
    return new Weight(name, type, cols, rows, 0, experts);
  }

  /** A float32 vector. */
  default Weight vector(String name, int elements) {
    return vectors(name, elements, 1);
  }

  /** The float32 vector, or null where there is none. */
  default @Nullable Weight optionalVector(String name, int elements) {
    return has(name) ? vector(name, elements) : null;
  }

  /** {@code rows} float32 vectors: the biases of each expert. */
  default Weight vectors(String name, int elements, int rows) {
    return new Weight(name, type(name, Shape.of(elements, rows), true), elements, rows);
  }
}
