package dev.ridgeline.reference;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Weight;

/** What ops need besides their values; allocated once, so that a step allocates nothing. */
final class Scratch {
  /** A decoded row of a weight. */
  final float[] row;

  /** A second one (the up projection beside the gate, a bias beside the weight). */
  final float[] row2;

  /** K of one head: {@code [maxContext, keyDim]}. */
  final float[] keys;

  /** V of one head: {@code [maxContext, valueDim]}. */
  final float[] values;

  /** Scores of one query head, then their exponentials. */
  final double[] scores;

  /** The output of one query head. */
  final double[] sum;

  Scratch(Graph graph, Capacity capacity) {
    int cols = maxCols(graph);
    row = new float[cols];
    row2 = new float[cols];
    boolean attends = !graph.kvLayers().isEmpty();
    int context = attends ? capacity.maxContext() : 0;
    keys = new float[Math.multiplyExact(context, maxKeyDim(graph))];
    values = new float[Math.multiplyExact(context, maxValueDim(graph))];
    scores = new double[context];
    sum = new double[maxValueDim(graph)];
  }

  /** Bytes that a scratch for this graph takes. */
  static long bytes(Graph graph, Capacity capacity) {
    long context = graph.kvLayers().isEmpty() ? 0 : capacity.maxContext();
    return Float.BYTES * (2L * maxCols(graph) + context * (maxKeyDim(graph) + maxValueDim(graph)))
        + Double.BYTES * (context + maxValueDim(graph));
  }

  private static int maxCols(Graph graph) {
    return graph.ops().stream()
        .flatMap(op -> op.weights().stream())
        .mapToInt(Weight::cols)
        .max()
        .orElse(0);
  }

  private static int maxKeyDim(Graph graph) {
    return graph.kvLayers().stream().mapToInt(KvLayer::keyDim).max().orElse(0);
  }

  private static int maxValueDim(Graph graph) {
    return graph.kvLayers().stream().mapToInt(KvLayer::valueDim).max().orElse(0);
  }
}
