package dev.ridgeline.backend;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A device that a backend found, as {@code doctor} shows it.
 *
 * @param index what {@code --device} takes
 * @param kind {@code "discrete"}, {@code "integrated"}, {@code "software"}, ...
 * @param subgroupSizes the smallest, the one that kernels are compiled for, the largest
 * @param features optional ones that it has
 * @param missing what it lacks of that which no kernel can do without; then it is not measured
 * @param matrices cooperative matrices, {@code "16x16x16 f16 * f16 + f32"}
 * @param rates measured; null for a device that cannot be used
 * @param kernels which kernel does what, and why that one
 */
public record DeviceReport(
    int index,
    String name,
    String kind,
    String driver,
    String apiVersion,
    List<Integer> subgroupSizes,
    List<String> features,
    List<String> missing,
    List<Heap> heaps,
    List<String> matrices,
    @Nullable Rates rates,
    List<KernelChoice> kernels) {
  /**
   * A heap of memory.
   *
   * @param deviceLocal whether it is the device's own
   * @param budgetBytes what this process may use of it, as far as the driver tells
   * @param usedBytes what it uses
   */
  public record Heap(boolean deviceLocal, long bytes, long budgetBytes, long usedBytes) {}

  /**
   * What was measured, in 10^9 bytes or operations a second; a multiply-add is two.
   *
   * @param float16MatrixGigaflopsPerSecond cooperative matrices; null without any
   * @param int8DotGigaopsPerSecond dot products of packed 8-bit integers
   */
  public record Rates(
      double readGigabytesPerSecond,
      double float32GigaflopsPerSecond,
      @Nullable Double float16MatrixGigaflopsPerSecond,
      double int8DotGigaopsPerSecond) {
    /** What any work can reach: matrices where the device has them. */
    public MachineLimits limits() {
      double matrix = float16MatrixGigaflopsPerSecond == null ? 0 : float16MatrixGigaflopsPerSecond;
      return new MachineLimits(
          readGigabytesPerSecond * 1e9, Math.max(float32GigaflopsPerSecond, matrix) * 1e9);
    }
  }

  /** A kernel for some work. */
  public record KernelChoice(String work, String kernel, String why) {}
}
