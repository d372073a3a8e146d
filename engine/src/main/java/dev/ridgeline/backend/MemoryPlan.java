package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import java.util.HashSet;
import java.util.Locale;
import java.util.StringJoiner;

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
  /** Nothing. */
  public static final MemoryPlan NONE = new MemoryPlan(0, 0, 0, 0, 0);

  /** Both. */
  public MemoryPlan plus(MemoryPlan o) {
    return new MemoryPlan(
        weightBytes + o.weightBytes,
        repackedBytes + o.repackedBytes,
        kvBytes + o.kvBytes,
        activationBytes + o.activationBytes,
        stagingBytes + o.stagingBytes);
  }

  /** The arithmetic in one line, with a KV cache for {@code kvTokens} tokens; no zeros. */
  public String arithmetic(int kvTokens) {
    var parts = new StringJoiner(" + ", "", " = " + size(totalBytes()));
    parts.add("weights " + size(weightBytes));
    if (repackedBytes > 0) {
      parts.add("repacked " + size(repackedBytes));
    }
    parts.add("KV %s (%d tokens)".formatted(size(kvBytes), kvTokens));
    parts.add("activations " + size(activationBytes));
    if (stagingBytes > 0) {
      parts.add("staging " + size(stagingBytes));
    }
    return parts.toString();
  }

  /** For people. */
  public static String size(long bytes) {
    return bytes < 1e9
        ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
  }

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
