package dev.ridgeline.reference;

import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/** The bytes of each weight of a graph, checked once, and their rows as floats. */
final class BoundWeights {
  private record Bound(Tensor tensor, Quantization format) {}

  private final Map<Weight, Bound> bound = new HashMap<>();

  /**
   * Finds every weight of {@code graph}.
   *
   * @throws IllegalArgumentException if a tensor has another type or shape than its weight
   */
  BoundWeights(Graph graph, Weights weights) {
    for (Op op : graph.ops()) {
      for (Weight weight : op.weights()) {
        Tensor tensor = weights.tensor(weight);
        bound.put(weight, new Bound(tensor, Quantization.of(weight.type())));
      }
    }
  }

  /** Decodes row {@code row} of expert {@code expert} (0 for a plain matrix) to {@code into}. */
  void row(Weight weight, int expert, int row, float[] into) {
    Bound b = bound.get(weight);
    if (b == null) {
      throw new IllegalArgumentException(weight + " is not a weight of this graph");
    }
    long tensorRow = weight.firstRow() + (long) expert * weight.rows() + row;
    b.format.decode(b.tensor.data(), tensorRow * b.tensor.rowBytes(), into, 0, weight.cols());
  }

  /** Decodes a weight of one row (a norm, a bias) to {@code into}. */
  void vector(Weight weight, float[] into) {
    row(weight, 0, 0, into);
  }
}
