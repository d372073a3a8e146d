package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;

/**
 * Activations that products of few tokens read as int8, one value at a time: the quants of all
 * blocks of 32, then for each its float32 scale and the sums of its halves ({@code
 * include/quantized.glsl}).
 *
 * @param elements room for this many
 */
record QuantizedX(GpuBuffer buffer, long elements) implements AutoCloseable {
  static QuantizedX allocate(GpuDevice device, long elements) {
    return new QuantizedX(device.buffer(bytes(elements), GpuBuffer.Use.DEVICE), elements);
  }

  static long bytes(long elements) {
    return elements / 32 * 40;
  }

  long quants() {
    return buffer.address();
  }

  long blocks() {
    return buffer.address() + elements;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
