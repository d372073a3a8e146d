package dev.ridgeline.lab;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.graph.Cost;

/**
 * How close a measurement came to the machine's limit.
 *
 * @param gigabytesPerSecond bytes that the work had to move, over the time it took
 * @param gigaflopsPerSecond operations that the work had to do, over the time it took
 * @param limit which of moving the bytes and doing the operations takes longer at the machine's
 *     full speed
 * @param shareOfLimit the time at full speed over the time it took; above 1 the measurement, of the
 *     work or of the machine, is wrong
 */
public record Utilization(
    double gigabytesPerSecond,
    double gigaflopsPerSecond,
    MachineLimits.Limit limit,
    double shareOfLimit) {
  private static final double GIGA = 1e9;

  /** Work of {@code bytes} and {@code flops} that took {@code seconds}. */
  public static Utilization of(double bytes, double flops, double seconds, MachineLimits limits) {
    return new Utilization(
        bytes / seconds / GIGA,
        flops / seconds / GIGA,
        limits.limit(bytes, flops),
        limits.floorSeconds(bytes, flops) / seconds);
  }

  /** Work of {@code cost} that took {@code seconds}. */
  public static Utilization of(Cost cost, double seconds, MachineLimits limits) {
    return of((double) cost.memoryBytes(), (double) cost.flops(), seconds, limits.mixedAs(cost));
  }

  /** Whether the figure is above what the machine can do, so that it is an error. */
  public boolean isError() {
    return shareOfLimit > 1;
  }
}
