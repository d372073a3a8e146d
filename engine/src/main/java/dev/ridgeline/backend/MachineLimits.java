package dev.ridgeline.backend;

/**
 * What a device was measured to do at most, with the threads that its backend uses: the
 * denominators of every share of a limit.
 *
 * @param readBytesPerSecond reading memory in sequence
 * @param flopsPerSecond the fastest multiply-adds that the backend has kernels for (float32 or,
 *     where it quantizes activations, int8), each counted as two operations
 */
public record MachineLimits(double readBytesPerSecond, double flopsPerSecond) {
  /** Which limit holds a piece of work back. */
  public enum Limit {
    /** Bytes over bandwidth take longer than operations over rate. */
    MEMORY_BANDWIDTH,
    /** Operations over rate take longer. */
    ARITHMETIC
  }

  /** The limit of work that reads {@code bytes} and does {@code flops}. */
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
