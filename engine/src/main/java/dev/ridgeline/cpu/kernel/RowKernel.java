package dev.ridgeline.cpu.kernel;

/**
 * Work on rows and elements of float32 at raw addresses. An element's result does not depend on
 * where a thread's share begins or ends. Stateless; any number of threads call one.
 */
public interface RowKernel {
  /** {@code out = x / sqrt(mean(x^2) + eps) * weight} over one group of {@code count} elements. */
  void rmsNorm(long x, long weight, float eps, long out, int count);

  /** {@code out = a + b * scale}; out may be a. */
  void add(long a, long b, float scale, long out, int count);

  /** {@code out = x * factor}; out may be x. */
  void scale(long x, float factor, long out, int count);
}
