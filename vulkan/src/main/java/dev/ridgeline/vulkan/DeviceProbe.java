package dev.ridgeline.vulkan;

import dev.ridgeline.backend.DeviceReport.Rates;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.util.Objects;

/**
 * Measures a device by timestamps: reading memory in sequence, multiply-adds of float32 and of
 * matrices, and dot products of 8-bit integers.
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

  /**
   * Operations of an invocation of {@code probe_dot.comp} in a round: 16 dot products of 4, added.
   */
  private static final int DOT_OPS_A_ROUND = 16 * 8;

  /** Sums of a subgroup of {@code probe_matrix.comp}. */
  private static final int MATRICES_A_ROUND = 8;

  private DeviceProbe() {}

  static MachineLimits measure(GpuDevice device, Pipelines pipelines) {
    return rates(device, pipelines).limits();
  }

  /** Bytes or operations in a nanosecond. */
  static Rates rates(GpuDevice device, Pipelines pipelines) {
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
      Push computing = new Push().addresses(result.address()).ints(rounds);
      double all = (double) ARITHMETIC_GROUPS * Dispatcher.GROUP * rounds;
      GpuPipeline flops = pipelines.get(Kernel.plain("probe_arithmetic"), Dispatcher.GROUP);
      GpuPipeline dots = pipelines.get(Kernel.plain("probe_dot"), Dispatcher.GROUP);
      return new Rates(
          data.bytes() / readNanos,
          all * FLOPS_A_ROUND / bestNanos(device, flops, computing, ARITHMETIC_GROUPS),
          MatrixProducts.has(device.info())
              ? matrixRate(device, pipelines, computing, rounds)
              : null,
          all * DOT_OPS_A_ROUND / bestNanos(device, dots, computing, ARITHMETIC_GROUPS));
    }
  }

  /** Operations of cooperative matrices in a nanosecond. */
  private static double matrixRate(GpuDevice device, Pipelines pipelines, Push push, int rounds) {
    MatrixShape shape = Objects.requireNonNull(device.info().matrixShape());
    GpuPipeline pipeline = pipelines.get(Kernel.probe("probe_matrix", shape), Dispatcher.GROUP);
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
