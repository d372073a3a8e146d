package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.testing.OpCases;
import dev.ridgeline.testing.OpParity;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import dev.ridgeline.vulkan.device.VulkanException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Devices that can do less, by the record that kernels are chosen from: the device is opened
 * without what the record lacks, so that the validation layers speak up when a kernel uses it.
 */
class VulkanLimitsTest {
  /** What a device may be without, alone and together. */
  static final List<Set<Feature>> ABSENT =
      List.of(
          Set.of(Feature.COOPERATIVE_MATRIX),
          Set.of(Feature.FLOAT16),
          Set.of(Feature.INT8),
          Set.of(Feature.INTEGER_DOT),
          EnumSet.allOf(Feature.class));

  /** A product of each kind, norms before them, and attention over both types of KV. */
  private static final List<String> CASES =
      List.of(
          "matmul q4_k 37x2816 extremes",
          "matmul f16 64x2048",
          "gated matmul silu q4_k 33x512",
          "expert matmul q4_k 3 of 8 64x256 own inputs",
          "matmul q4_k 64x512 + q4_k 17x512 + q6_k 17x512, output 2",
          "attention 4x128 over 4 q8_0",
          "attention sinks window 16");

  @ParameterizedTest
  @FieldSource("ABSENT")
  void devicesWithoutAFeatureGetKernelsThatDoWithoutIt(Set<Feature> absent) {
    TestDevice device = TestDevice.open();
    DeviceInfo whole = device.instance.devices().get(device.index);
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    features.addAll(whole.features());
    features.removeAll(absent);
    DeviceInfo less =
        limited(whole, features, whole.maxSharedBytes(), whole.maxWorkgroupInvocations());
    assertThat(MatrixProducts.has(less))
        .isEqualTo(
            MatrixProducts.has(whole)
                && !absent.contains(Feature.FLOAT16)
                && !absent.contains(Feature.COOPERATIVE_MATRIX));
    try (var backend = new VulkanBackend(device.instance, device.instance.device(less))) {
      CASES.forEach(name -> OpParity.check(OpCases.named(name), backend));
      assertThat(device.instance.messages()).isEmpty();
    }
  }

  @Test
  void aDeviceBelowTheLeastLimitsIsRefusedWithWhatItLacks() {
    try (TestDevice device = TestDevice.open()) {
      DeviceInfo whole = device.instance.devices().get(device.index);
      DeviceInfo small = limited(whole, whole.features(), 16 << 10, 128);
      assertThatThrownBy(() -> device.instance.device(small))
          .isInstanceOf(VulkanException.class)
          .hasMessageContaining("workgroups of 256 invocations (it has 128)")
          .hasMessageContaining("32768 bytes of shared memory (it has 16384)");
    }
  }

  private static DeviceInfo limited(
      DeviceInfo d, Set<Feature> features, int sharedBytes, int invocations) {
    return new DeviceInfo(
        d.index(),
        d.name(),
        d.kind(),
        d.driver(),
        d.apiVersion(),
        d.subgroupSize(),
        d.minSubgroupSize(),
        d.maxSubgroupSize(),
        sharedBytes,
        invocations,
        d.maxBufferBytes(),
        d.localBytes(),
        d.timestampNanos(),
        features,
        d.matrixShape(),
        d.matrices(),
        d.cacheId(),
        d.missing());
  }
}
