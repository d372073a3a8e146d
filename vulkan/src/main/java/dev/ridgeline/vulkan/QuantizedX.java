package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;

/**
 * The activations that products of few tokens read as int8, one value at a time: the quants of all
 * blocks of 32, then their float32 scales.
 */
final class QuantizedX implements AutoCloseable {
  private final GpuBuffer buffer;
  private final long elements;

  QuantizedX(GpuDevice device, Graph graph, Capacity capacity) {
    elements = elements(graph, capacity);
    buffer = device.buffer(bytes(graph, capacity), GpuBuffer.Use.DEVICE);
  }

  static long bytes(Graph graph, Capacity capacity) {
    return elements(graph, capacity) / 32 * 36;
  }

  private static long elements(Graph graph, Capacity capacity) {
    long rows = Math.min(capacity.maxTokens(), OpRecorder.MAX_VEC_TOKENS);
    long cols =
        WeightStore.weights(graph).stream()
            .filter(w -> Kernel.hasIntegerDot(w.type()))
            .mapToInt(Weight::cols)
            .max()
            .orElse(0);
    return rows * cols;
  }

  long quants() {
    return buffer.address();
  }

  long scales() {
    return buffer.address() + elements;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
