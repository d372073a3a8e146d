package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.Recording;
import java.util.ArrayList;
import java.util.List;

/**
 * K and V of every layer on the device, {@code [slots, headCountKv, dim]}: as f16, or as q8_0 in
 * two planes, the quants and the f16 scales of all blocks of 32.
 */
final class KvBuffers implements AutoCloseable {
  /** Addresses of a plane of K or of V; the scales only of q8_0. */
  record Planes(long data, long scales) {
    /** How far the scales are from the data, in 16 bytes. */
    int scaleUnits() {
      return Math.toIntExact((scales - data) / 16);
    }
  }

  private final List<GpuBuffer> buffers = new ArrayList<>();
  private final List<Planes> keys = new ArrayList<>();
  private final List<Planes> values = new ArrayList<>();

  /** Allocates the blocks of all layers, zeroed. */
  KvBuffers(GpuDevice device, Graph graph, Capacity capacity) {
    boolean done = false;
    try (Recording clear = device.record()) {
      for (KvLayer layer : graph.kvLayers()) {
        long heads =
            (long) capacity.kvBlocks().get(graph.kvGroup(layer))
                * capacity.blockTokens()
                * layer.headCountKv();
        keys.add(allocate(device, clear, heads * layer.keyDim(), capacity.kvType()));
        values.add(allocate(device, clear, heads * layer.valueDim(), capacity.kvType()));
      }
      clear.end();
      clear.run();
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private Planes allocate(GpuDevice device, Recording clear, long elements, KvType type) {
    long dataBytes =
        switch (type) {
          case F16 -> 2 * elements;
          case Q8_0 -> elements;
        };
    dataBytes = (dataBytes + 15) / 16 * 16;
    GpuBuffer buffer = device.buffer(type.type().bytes(elements) + 16, GpuBuffer.Use.DEVICE);
    buffers.add(buffer);
    clear.clear(buffer, 0, buffer.bytes());
    return new Planes(buffer.address(), buffer.address() + dataBytes);
  }

  Planes keys(KvLayer layer) {
    return keys.get(layer.layer());
  }

  Planes values(KvLayer layer) {
    return values.get(layer.layer());
  }

  @Override
  public void close() {
    buffers.forEach(GpuBuffer::close);
  }
}
