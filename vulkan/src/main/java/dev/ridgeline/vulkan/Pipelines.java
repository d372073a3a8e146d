package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The pipelines of a device, each compiled when it is first asked for. */
final class Pipelines {
  private record Key(Kernel kernel, List<Integer> constants) {}

  private final GpuDevice device;
  private final Map<Key, GpuPipeline> compiled = new HashMap<>();

  Pipelines(GpuDevice device) {
    this.device = device;
  }

  /** Those compiled so far. */
  Collection<GpuPipeline> compiled() {
    return compiled.values();
  }

  /**
   * The pipeline of {@code kernel} with these specialization constants.
   *
   * @param constants constant 0 is the workgroup's size
   */
  GpuPipeline get(Kernel kernel, int... constants) {
    var key = new Key(kernel, IntStream.of(constants).boxed().toList());
    return compiled.computeIfAbsent(
        key, k -> device.pipeline(kernel.name() + k.constants(), kernel.spirv(), constants));
  }
}
