package dev.ridgeline.vulkan;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.LayerSplit;
import dev.ridgeline.graph.Value;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import java.util.ArrayList;
import java.util.List;

/** All device memory of a compiled graph, allocated at once: weights, KV, activations, steps. */
final class Resources implements AutoCloseable {
  final WeightStore weights;
  final KvBuffers kv;
  final RopeTables ropes;
  final StepBuffer step;
  final Scratch scratch;

  /** Rows that {@link dev.ridgeline.graph.Op.Input} reads; next to nothing where there is none. */
  final GpuBuffer input;

  private final GpuDevice device;
  private final ActivationPlan plan;
  private final List<GpuBuffer> activations = new ArrayList<>();
  private final Opened open = new Opened();

  Resources(
      GpuDevice device,
      Pipelines pipelines,
      Graph graph,
      List<GpuOp> ops,
      Weights from,
      Capacity capacity) {
    this.device = device;
    plan = new ActivationPlan(ops, graph, capacity);
    boolean done = false;
    try {
      weights = open.add(new WeightStore(device, pipelines, graph, from));
      kv = open.add(new KvBuffers(device, graph, capacity));
      ropes = open.add(new RopeTables(device, graph, from));
      step = open.add(new StepBuffer(device, capacity));
      long inputBytes = LayerSplit.inputBytes(graph, capacity.maxTokens());
      input = open.add(device.buffer(inputBytes, GpuBuffer.Use.UPLOAD));
      scratch = open.add(new Scratch(device, graph, capacity));
      for (int i = 0; i < plan.buffers(); i++) {
        activations.add(
            open.add(device.buffer(Float.BYTES * plan.elements(i), GpuBuffer.Use.DEVICE)));
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** One more buffer; if there is no memory for it, everything is freed. */
  GpuBuffer add(long bytes, GpuBuffer.Use use) {
    boolean done = false;
    try {
      GpuBuffer buffer = open.add(device.buffer(bytes, use));
      done = true;
      return buffer;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Number of the buffer that holds {@code value}, for {@link Dispatcher#uses}. */
  int buffer(Value value) {
    return plan.buffer(value);
  }

  /** The buffer that holds {@code value}. */
  GpuBuffer memory(Value value) {
    return activations.get(plan.buffer(value));
  }

  long address(Value value) {
    return memory(value).address();
  }

  /** Number of a layer's K and V, for {@link Dispatcher#uses}. */
  static int kv(KvLayer layer) {
    return -1 - layer.layer();
  }

  @Override
  public void close() {
    open.close();
  }
}
