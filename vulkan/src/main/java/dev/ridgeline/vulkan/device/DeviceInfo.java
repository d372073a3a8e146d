package dev.ridgeline.vulkan.device;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a physical device is and can do, read once.
 *
 * @param index among the instance's devices
 * @param driver name and version of its driver
 * @param apiVersion Vulkan version, such as {@code "1.3.230"}
 * @param subgroupSize invocations of a subgroup where the pipeline does not choose
 * @param maxSharedBytes shared memory of a workgroup
 * @param maxWorkgroupInvocations invocations of a workgroup
 * @param maxBufferBytes largest buffer that one allocation can back
 * @param localBytes the largest device-local heap
 * @param timestampNanos nanoseconds of a timestamp tick
 * @param features optional features present
 * @param matrixShape cooperative matrices of a subgroup that multiply float16 and sum in float32;
 *     null without any
 * @param matrices all cooperative matrices of a subgroup, {@code "16x16x16 f16 * f16 + f32"}
 * @param cacheId device, driver and version that compiled pipelines are good for, as hexadecimal
 * @param missing features without which no kernel here runs; empty for a usable device
 */
public record DeviceInfo(
    int index,
    String name,
    Kind kind,
    String driver,
    String apiVersion,
    int subgroupSize,
    int minSubgroupSize,
    int maxSubgroupSize,
    int maxSharedBytes,
    int maxWorkgroupInvocations,
    long maxBufferBytes,
    long localBytes,
    double timestampNanos,
    Set<Feature> features,
    @Nullable MatrixShape matrixShape,
    List<String> matrices,
    String cacheId,
    List<String> missing) {
  /** {@code [m, k] * [k, n] + [m, n]} by a subgroup of {@code lanes} invocations. */
  public record MatrixShape(int m, int n, int k, int lanes) {}

  /** What a device is made of. */
  public enum Kind {
    /** A card with its own memory. */
    DISCRETE,
    /** Shares the processor's memory. */
    INTEGRATED,
    /** A virtual machine's share of one. */
    VIRTUAL,
    /** The processor itself; for tests. */
    SOFTWARE,
    /** Something else. */
    OTHER
  }

  /** What some kernels need beyond what all of them need. */
  public enum Feature {
    /** Arithmetic in float16. */
    FLOAT16,
    /** Arithmetic in 8-bit integers. */
    INT8,
    /** Dot products of packed 8-bit integers, accelerated. */
    INTEGER_DOT,
    /** {@code VK_KHR_cooperative_matrix}. */
    COOPERATIVE_MATRIX,
    /** {@code VK_EXT_memory_budget}. */
    MEMORY_BUDGET,
    /**
     * {@code VK_KHR_pipeline_executable_properties}: what the driver's compiler made of a shader.
     */
    STATISTICS
  }

  /** Invocations of most workgroups, and the shared memory that they keep to. */
  private static final int LEAST_INVOCATIONS = 256;

  private static final int LEAST_SHARED_BYTES = 32 << 10;

  /** Copies the collections; limits that are too low for every kernel are missing, too. */
  public DeviceInfo {
    features = Set.copyOf(features);
    matrices = List.copyOf(matrices);
    var all = new LinkedHashSet<>(missing);
    if (maxWorkgroupInvocations < LEAST_INVOCATIONS) {
      all.add(
          "workgroups of %d invocations (it has %d)"
              .formatted(LEAST_INVOCATIONS, maxWorkgroupInvocations));
    }
    if (maxSharedBytes < LEAST_SHARED_BYTES) {
      all.add(
          "%d bytes of shared memory (it has %d)".formatted(LEAST_SHARED_BYTES, maxSharedBytes));
    }
    missing = List.copyOf(all);
  }

  /**
   * Invocations of a subgroup that kernels are compiled for: 32 where there is a choice, which
   * their rows are cut into, else what is nearest.
   */
  public int usedSubgroupSize() {
    return Math.clamp(32, minSubgroupSize, maxSubgroupSize);
  }

  /** Whether NVIDIA's own driver runs it. */
  public boolean isNvidia() {
    return driver.startsWith("NVIDIA");
  }

  @Override
  public String toString() {
    return "%s (%s, Vulkan %s, subgroups of %d, %.1f GB)"
        .formatted(name, driver, apiVersion, subgroupSize, localBytes / 1e9);
  }
}
