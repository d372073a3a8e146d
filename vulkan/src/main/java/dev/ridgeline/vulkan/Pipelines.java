package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The pipelines of a device, each compiled when it is first asked for. */
final class Pipelines {
  private record Key(Kernel kernel, List<Integer> constants) {}

  private final GpuDevice device;
  private final Map<Key, GpuPipeline> compiled = new HashMap<>();

  private @Nullable MatrixLayout layout;
  private boolean layoutSought;

  Pipelines(GpuDevice device) {
    this.device = device;
  }

  /**
   * Which elements of matrices invocations hold; null without matrices, if it is not known, or
   * without the shared memory of {@code mul_mat_matrix_q.comp} and {@code attend_matrix.comp}.
   */
  @Nullable MatrixLayout matrixLayout() {
    DeviceInfo info = device.info();
    MatrixShape shape = info.matrixShape();
    if (!layoutSought && shape != null && MatrixProducts.has(info)) {
      int needed = shape.m() == 16 ? 40 << 10 : 30 << 10;
      layout = info.maxSharedBytes() >= needed ? MatrixLayout.of(device, this, shape) : null;
    }
    layoutSought = true;
    return layout;
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
