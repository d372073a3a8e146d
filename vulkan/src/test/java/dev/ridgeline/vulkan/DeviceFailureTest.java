package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import dev.ridgeline.testing.TwoSequences;
import dev.ridgeline.vulkan.device.VulkanException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What follows when a device gives up, on a real one: only the results of some calls are replaced,
 * see property {@code ridgeline.vulkan.fault}.
 */
class DeviceFailureTest {
  private static final String FAULT = "ridgeline.vulkan.fault";

  private final TinyModel model = new TinyModel(DType.Q8_0);
  private final Graph graph = Fusion.fuse(model.graph);

  @AfterEach
  void heal() {
    System.clearProperty(FAULT);
    System.clearProperty("ridgeline.vulkan.upload");
  }

  private static VulkanBackend open(TestDevice device) {
    return new VulkanBackend(device.instance, device.index);
  }

  private Executable compile(VulkanBackend backend) {
    return backend.compile(graph, model.weights(), TwoSequences.CAPACITY);
  }

  @Test
  void aLostDeviceIsNamedAndRunsNothingAnyMore() {
    for (String fault : new String[] {"submit:9:lost", "await:9:lost"}) {
      System.setProperty(FAULT, fault);
      TestDevice device = TestDevice.open();
      try (VulkanBackend backend = open(device);
          Executable executable = compile(backend)) {
        assertThatThrownBy(
                () -> {
                  for (int p = 0; p < 20; p++) {
                    TwoSequences.lastRows(executable, p, p + 1);
                  }
                })
            .isInstanceOf(DeviceFailedException.class)
            .hasMessageContaining(backend.device())
            .hasMessageContaining("the device was lost");
        assertThatThrownBy(() -> TwoSequences.lastRows(executable, 0, 1))
            .isInstanceOf(DeviceFailedException.class)
            .hasMessageContaining("the device was lost");
      }
      assertThat(device.instance.messages()).isEmpty();
    }
  }

  @Test
  void aDeviceThatDoesNotAnswerIsAnErrorAndClosingDoesNotWaitForIt() {
    System.setProperty(FAULT, "await:9:timeout");
    TestDevice device = TestDevice.open();
    VulkanBackend backend = open(device);
    try (backend;
        Executable executable = compile(backend)) {
      assertThatThrownBy(
              () -> {
                for (int p = 0; p < 20; p++) {
                  TwoSequences.lastRows(executable, p, p + 1);
                }
              })
          .isInstanceOf(DeviceFailedException.class)
          .hasMessageContaining("no answer in");
    }
    assertThat(device.instance.messages()).isEmpty();
  }

  @Test
  void withoutMemoryForAnyOneBufferLoadingSaysSoAndLeavesNothingBehind() {
    for (String upload : new String[] {"direct", "staged"}) {
      System.setProperty("ridgeline.vulkan.upload", upload);
      boolean failed = true;
      for (int n = 1; failed; n += 1 + n / 4) {
        System.setProperty(FAULT, "allocate:" + n + ":memory");
        TestDevice device = TestDevice.open();
        try (VulkanBackend backend = open(device)) {
          try (Executable executable = compile(backend)) {
            failed = false;
            assertThat(executable.vocabularySize()).isEqualTo(TinyModel.VOCABULARY);
            assertThat(n).as("buffers there are").isGreaterThan(20);
          } catch (VulkanException e) {
            assertThat(e)
                .hasMessageContaining("out of memory")
                .hasMessageContaining("planned: weights")
                .hasMessageContaining("--gpu-layers");
          }
          assertThat(backend.buffers()).as("buffers left, without the %dth", n).isZero();
        }
        assertThat(device.instance.messages()).isEmpty();
      }
    }
  }

  @Test
  void whatALoadedModelHoldsIsWhatItsPlanSays() {
    TestDevice device = TestDevice.open();
    try (VulkanBackend backend = open(device);
        Executable executable = compile(backend)) {
      long planned =
          backend.plan(graph, TwoSequences.CAPACITY).totalBytes() - backend.uploadBytes();

      assertThat(executable.vocabularySize()).isEqualTo(TinyModel.VOCABULARY);
      // Each buffer is rounded up to 16 bytes.
      assertThat(backend.bufferBytes()).isBetween(planned, planned + 15L * backend.buffers());
    }
  }

  @Test
  void anUploadThatCannotBeginLeavesNothingBehind() {
    System.setProperty("ridgeline.vulkan.upload", "staged");
    for (String fault : new String[] {"copy:1:memory", "copy:2:memory"}) {
      System.setProperty(FAULT, fault);
      TestDevice device = TestDevice.open();
      try (VulkanBackend backend = open(device)) {
        assertThatThrownBy(() -> compile(backend))
            .isInstanceOf(VulkanException.class)
            .hasMessageContaining("making a copy by a queue");
        assertThat(backend.buffers()).as("buffers left after %s", fault).isZero();
      }
      assertThat(device.instance.messages()).isEmpty();
    }
  }

  @Test
  void weightsThatAQueueCopiesAreTheSame() {
    TestDevice direct = TestDevice.open();
    float[][] expected;
    try (VulkanBackend backend = open(direct);
        Executable executable = compile(backend)) {
      expected = TwoSequences.lastRows(executable, 0, 9);
    }
    System.setProperty("ridgeline.vulkan.upload", "staged");
    TestDevice staged = TestDevice.open();
    try (VulkanBackend backend = open(staged);
        Executable executable = compile(backend)) {
      assertThat(TwoSequences.lastRows(executable, 0, 9)).isDeepEqualTo(expected);
    }
    assertThat(staged.instance.messages()).isEmpty();
  }
}
