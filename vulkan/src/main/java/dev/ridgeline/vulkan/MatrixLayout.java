package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Which elements of a cooperative matrix each invocation of a subgroup holds, as {@code
 * mul_mat_matrix_q.comp} needs to know: drivers are free in this, so it is looked up on the device.
 * Invocation {@code l} holds rows {@code l / sharers + i * m / rows} of A, and at each of them
 * {@code k / rows} elements: pairs that lie {@code 2 * sharers} apart.
 *
 * @param rows rows of A, and columns of B, of an invocation
 * @param atRow elements from one of these rows or columns to the next
 * @param atPair elements from one pair to the next
 */
record MatrixLayout(int rows, int atRow, int atPair) {
  /**
   * The layout on {@code device} of matrices of {@code shape}: two rows, as NVIDIA has it, or all,
   * as lavapipe has it; null if it is neither.
   */
  static @Nullable MatrixLayout of(GpuDevice device, Pipelines pipelines, MatrixShape shape) {
    int count = shape.m() * shape.k() / shape.lanes();
    GpuPipeline probe = pipelines.get(Kernel.probe("probe_layout", shape), shape.lanes());
    try (GpuBuffer result =
            device.buffer(2L * Integer.BYTES * shape.lanes() * count, GpuBuffer.Use.READBACK);
        Recording recording = device.record()) {
      recording.dispatch(probe, new Push().addresses(result.address()).done(), 1, 1, 1);
      recording.end();
      recording.run();
      var layout = count == shape.m() ? new MatrixLayout(count, 1, 0) : new MatrixLayout(2, 4, 2);
      return layout.holds(result.mapped(), shape, count) ? layout : null;
    }
  }

  private boolean holds(MemorySegment found, MatrixShape shape, int count) {
    int sharers = shape.lanes() * rows / shape.m();
    for (int lane = 0; lane < shape.lanes(); lane++) {
      for (int row = 0; row < rows; row++) {
        for (int i = 0; i < count / rows; i++) {
          int k = count == rows ? lane % sharers : lane % sharers * 2 + i % 2 + i / 2 * 2 * sharers;
          int expected = 16 * (lane / sharers + row * (shape.m() / rows)) + k;
          int a = lane * count + row * atRow + i / 2 * atPair + i % 2;
          int b = shape.lanes() * count + a;
          if (found.getAtIndex(ValueLayout.JAVA_INT, a) != expected
              || found.getAtIndex(ValueLayout.JAVA_INT, b) != expected) {
            return false;
          }
        }
      }
    }
    return true;
  }
}
