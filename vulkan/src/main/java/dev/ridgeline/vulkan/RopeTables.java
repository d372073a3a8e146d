package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * For each rotation of a graph, the turns a position by which each pair turns, as 64-bit fractions
 * of a turn: a few hundred bytes instead of a table of sines, and exact at every position.
 */
final class RopeTables implements AutoCloseable {
  private record Key(RopeParams params, @Nullable Weight freqFactors) {}

  private final Map<Key, GpuBuffer> tables = new HashMap<>();

  RopeTables(GpuDevice device, Graph graph, Weights weights) {
    boolean done = false;
    try {
      fill(device, graph, weights);
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private void fill(GpuDevice device, Graph graph, Weights weights) {
    for (Op op : graph.ops()) {
      if (op instanceof Op.Rope rope) {
        tables.computeIfAbsent(
            new Key(rope.params(), rope.freqFactors()),
            key -> {
              int pairs = key.params.dims() / 2;
              float[] factors = factors(key.freqFactors, pairs, weights);
              GpuBuffer buffer = device.buffer(8L * pairs, GpuBuffer.Use.UPLOAD);
              fill(buffer.mapped(), key.params, factors);
              return buffer;
            });
      }
    }
  }

  private static float @Nullable [] factors(@Nullable Weight weight, int pairs, Weights weights) {
    if (weight == null) {
      return null;
    }
    float[] factors = new float[weight.cols()];
    Quantization.of(weight.type())
        .decode(weights.tensor(weight).data(), 0, factors, 0, weight.cols());
    if (factors.length < pairs) {
      throw new IllegalArgumentException(
          "weight '%s' has %d factors; the rotation has %d pairs"
              .formatted(weight.tensor(), factors.length, pairs));
    }
    return factors;
  }

  private static void fill(MemorySegment to, RopeParams params, float @Nullable [] factors) {
    for (int pair = 0; pair < params.dims() / 2; pair++) {
      double turns = params.frequency(pair, factors == null ? 1 : factors[pair]) / (2 * Math.PI);
      long fraction = (long) ((turns - Math.floor(turns)) * 0x1p63) << 1;
      to.setAtIndex(ValueLayout.JAVA_INT, 2L * pair, (int) (fraction >>> 32));
      to.setAtIndex(ValueLayout.JAVA_INT, 2L * pair + 1, (int) fraction);
    }
  }

  /** The table of {@code rope}. */
  long address(Op.Rope rope) {
    GpuBuffer table = tables.get(new Key(rope.params(), rope.freqFactors()));
    if (table == null) {
      throw new IllegalArgumentException(rope + " is not an op of this graph");
    }
    return table.address();
  }

  @Override
  public void close() {
    tables.values().forEach(GpuBuffer::close);
  }
}
