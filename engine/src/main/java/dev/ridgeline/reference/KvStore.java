package dev.ridgeline.reference;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.ZeroedMemory;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * K and V of every layer: {@code [slots, headCountKv, keyDim]} and {@code [slots, headCountKv,
 * valueDim]}, where the slot of a position follows from its block table; see {@link
 * dev.ridgeline.backend.Step}.
 */
final class KvStore {
  private record Layer(MemorySegment keys, MemorySegment values) {}

  private final Quantization format;
  private final int blockTokens;
  private final Layer[] layers;

  /** Allocates the blocks of all layers, zeroed, in {@code arena}. */
  KvStore(Graph graph, Capacity capacity, Arena arena) {
    DType type = capacity.kvType().type();
    format = Quantization.of(type);
    blockTokens = capacity.blockTokens();
    layers = new Layer[graph.kvLayers().size()];
    MemorySegment all = ZeroedMemory.allocate(arena, MemoryPlan.kvBytes(graph, capacity));
    long at = 0;
    for (KvLayer layer : graph.kvLayers()) {
      long slots = (long) capacity.kvBlocks().get(graph.kvGroup(layer)) * blockTokens;
      long keyBytes = slots * layer.headCountKv() * type.bytes(layer.keyDim());
      long valueBytes = slots * layer.headCountKv() * type.bytes(layer.valueDim());
      layers[layer.layer()] =
          new Layer(all.asSlice(at, keyBytes), all.asSlice(at + keyBytes, valueBytes));
      at += keyBytes + valueBytes;
    }
  }

  /**
   * Stores the K heads that start at {@code k[from]} and the V heads that start at {@code
   * v[vFrom]}.
   */
  void store(KvLayer layer, int slot, float[] k, int kFrom, float[] v, int vFrom) {
    int heads = layer.headCountKv();
    long keyBytes = format.type().bytes(heads * (long) layer.keyDim());
    long valueBytes = format.type().bytes(heads * (long) layer.valueDim());
    Layer bytes = layers[layer.layer()];
    format.encode(k, kFrom, bytes.keys, slot * keyBytes, heads * layer.keyDim());
    format.encode(v, vFrom, bytes.values, slot * valueBytes, heads * layer.valueDim());
  }

  /** Decodes one K head of one slot. */
  void key(KvLayer layer, int slot, int head, float[] into, int at) {
    decode(layers[layer.layer()].keys, layer, slot, head, layer.keyDim(), into, at);
  }

  /** Decodes one V head of one slot. */
  void value(KvLayer layer, int slot, int head, float[] into, int at) {
    decode(layers[layer.layer()].values, layer, slot, head, layer.valueDim(), into, at);
  }

  /** The slot of {@code position} by a sequence's block table. */
  int slot(int[] blockTable, int position) {
    return blockTable[position / blockTokens] * blockTokens + position % blockTokens;
  }

  private void decode(
      MemorySegment from, KvLayer layer, int slot, int head, int dim, float[] into, int at) {
    long index = (long) slot * layer.headCountKv() + head;
    format.decode(from, index * format.type().bytes(dim), into, at, dim);
  }
}
