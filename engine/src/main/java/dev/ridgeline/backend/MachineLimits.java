package dev.ridgeline.backend;

import dev.ridgeline.graph.Cost;

/**
 * What a device was measured to do at most, with the threads that its backend uses: the
 * denominators of every share of a limit.
 *
 * @param readBytesPerSecond reading memory in sequence
 * @param flopsPerSecond multiply-adds of floats, each counted as two operations
 * @param quantizedFlopsPerSecond the same with quantized weights: of bytes, where the backend
 *     quantizes activations too
 */
public record MachineLimits(
    double readBytesPerSecond, double flopsPerSecond, double quantizedFlopsPerSecond) {
  /** Which limit holds a piece of work back. */
  public enum Limit {
    /** Bytes over bandwidth take longer than operations over rate. */
    MEMORY_BANDWIDTH,
    /** Operations over rate take longer. */
    ARITHMETIC
  }

  /** Limits of a device that multiplies all weights as floats. */
  public MachineLimits(double readBytesPerSecond, double flopsPerSecond) {
    this(readBytesPerSecond, flopsPerSecond, flopsPerSecond);
  }

  /** One arithmetic rate for work that is a mixture of both kinds, as {@code cost} is. */
  public MachineLimits mixedAs(Cost cost) {
    if (cost.flops() == 0) {
      return this;
    }
    double share = (double) cost.quantizedFlops() / cost.flops();
    double seconds = (1 - share) / flopsPerSecond + share / quantizedFlopsPerSecond;
    return new MachineLimits(readBytesPerSecond, 1 / seconds);
  }

  /** The higher of both, limit by limit: whatever disturbs a measurement makes it slower. */
  public MachineLimits max(MachineLimits o) {
    return new MachineLimits(
        Math.max(readBytesPerSecond, o.readBytesPerSecond),
        Math.max(flopsPerSecond, o.flopsPerSecond),
        Math.max(quantizedFlopsPerSecond, o.quantizedFlopsPerSecond));
  }

  /** The limit of work that reads {@code bytes} and does {@code flops} on floats. */
  public Limit limit(double bytes, double flops) {
    return bytes / readBytesPerSecond >= flops / flopsPerSecond
        ? Limit.MEMORY_BANDWIDTH
        : Limit.ARITHMETIC;
  }

  /** The least time, in seconds, in which this machine could do it. */
  public double floorSeconds(double bytes, double flops) {
    return Math.max(bytes / readBytesPerSecond, flops / flopsPerSecond);
  }
}
