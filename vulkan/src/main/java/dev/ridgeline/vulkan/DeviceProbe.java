package dev.ridgeline.vulkan;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.util.Objects;

/**
 * Measures a device by timestamps: reading memory in sequence, and multiply-adds of float32 and of
 * matrices.
 */
final class DeviceProbe {
  /** Many times any cache, and milliseconds of the fastest memory. */
  private static final long READ_BYTES = 2L << 30;

  /** A software device reads at a hundredth of that speed, out of the same memory as everyone. */
  private static final long SOFTWARE_READ_BYTES = 64L << 20;

  private static final int RUNS = 7;
  private static final int ARITHMETIC_GROUPS = 4096;
  private static final int ARITHMETIC_ROUNDS = 1024;

  /** Multiply-adds of an invocation of {@code probe_arithmetic.comp} in a round, twice. */
  private static final int FLOPS_A_ROUND = 2 * 32;

  /** Sums of a subgroup of {@code probe_matrix.comp}. */
  private static final int MATRICES_A_ROUND = 8;

  private DeviceProbe() {}

  static MachineLimits measure(GpuDevice device, Pipelines pipelines) {
    boolean software = device.info().kind() == Kind.SOFTWARE;
    int rounds = software ? ARITHMETIC_ROUNDS / 64 : ARITHMETIC_ROUNDS;
    long bytes =
        Math.min(
            software ? SOFTWARE_READ_BYTES : READ_BYTES,
            Math.min(device.info().maxBufferBytes(), device.availableBytes() / 2));
    try (GpuBuffer data = device.buffer(bytes, GpuBuffer.Use.DEVICE);
        GpuBuffer result = device.buffer(16, GpuBuffer.Use.DEVICE)) {
      GpuPipeline read = pipelines.get(Kernel.plain("probe_read"), Dispatcher.GROUP);
      Push reading =
          new Push().addresses(data.address(), result.address()).ints((int) (data.bytes() / 16));
      double readNanos = bestNanos(device, read, reading, software ? 64 : 4096);
      GpuPipeline flops = pipelines.get(Kernel.plain("probe_arithmetic"), Dispatcher.GROUP);
      Push computing = new Push().addresses(result.address()).ints(rounds);
      double flopsNanos = bestNanos(device, flops, computing, ARITHMETIC_GROUPS);
      double operations = (double) ARITHMETIC_GROUPS * Dispatcher.GROUP * rounds * FLOPS_A_ROUND;
      double rate = operations / flopsNanos;
      if (Products.hasMatrices(device.info())) {
        rate = Math.max(rate, matrixRate(device, pipelines, computing, rounds));
      }
      return new MachineLimits(data.bytes() / readNanos * 1e9, rate * 1e9);
    }
  }

  /** Operations of cooperative matrices in a nanosecond. */
  private static double matrixRate(GpuDevice device, Pipelines pipelines, Push push, int rounds) {
    MatrixShape shape = Objects.requireNonNull(device.info().matrixShape());
    GpuPipeline pipeline = pipelines.get(Kernel.probeMatrix(shape), Dispatcher.GROUP);
    double nanos = bestNanos(device, pipeline, push, ARITHMETIC_GROUPS);
    double each = 2.0 * shape.m() * shape.n() * shape.k() * MATRICES_A_ROUND;
    int subgroups = ARITHMETIC_GROUPS * (Dispatcher.GROUP / shape.lanes());
    return each * subgroups * rounds / nanos;
  }

  private static double bestNanos(GpuDevice device, GpuPipeline pipeline, Push push, int groups) {
    try (Recording recording = device.record(RUNS + 1)) {
      recording.timestamp();
      var bytes = push.done().duplicate();
      for (int i = 0; i < RUNS; i++) {
        recording.dispatch(pipeline, bytes, groups, 1, 1);
        recording.barrier();
        recording.timestamp();
      }
      recording.end();
      recording.run();
      double[] at = recording.ticks();
      double best = Double.POSITIVE_INFINITY;
      for (int i = 0; i < RUNS; i++) {
        best = Math.min(best, at[i + 1] - at[i]);
      }
      return best;
    }
  }
}
