package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import java.util.HashSet;

/**
 * Bytes that compiling a graph takes, by lifetime.
 *
 * @param weightBytes weights read in place from the file (mapped) or held on the device
 * @param repackedBytes weights held a second time in another layout; 0 where none is
 * @param kvBytes KV blocks
 * @param activationBytes values and scratch of one step
 * @param stagingBytes transfer buffers
 */
public record MemoryPlan(
    long weightBytes, long repackedBytes, long kvBytes, long activationBytes, long stagingBytes) {
  /** All of it. */
  public long totalBytes() {
    return weightBytes + repackedBytes + kvBytes + activationBytes + stagingBytes;
  }

  /** Bytes of the weights that {@code graph} reads, each counted once. */
  public static long weightBytes(Graph graph) {
    var weights = new HashSet<Weight>();
    graph.ops().forEach(op -> weights.addAll(op.weights()));
    return weights.stream().mapToLong(Weight::bytes).sum();
  }

  /** Bytes of K and V of all blocks of all layers of {@code graph}. */
  public static long kvBytes(Graph graph, Capacity capacity) {
    DType type = capacity.kvType().type();
    long bytes = 0;
    for (KvLayer layer : graph.kvLayers()) {
      long slots = (long) capacity.kvBlocks().get(graph.kvGroup(layer)) * capacity.blockTokens();
      long head = type.bytes(layer.keyDim()) + type.bytes(layer.valueDim());
      bytes += slots * layer.headCountKv() * head;
    }
    return bytes;
  }
}
