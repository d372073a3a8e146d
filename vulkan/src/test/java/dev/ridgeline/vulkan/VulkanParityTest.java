package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpParity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op case, under the validation layers where they are installed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VulkanParityTest {
  private TestDevice device;
  private VulkanBackend backend;

  @BeforeAll
  void open() {
    device = TestDevice.open();
    backend = new VulkanBackend(device.instance, device.index);
  }

  @AfterAll
  void close() {
    if (backend != null) {
      backend.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.ridgeline.testing.OpCases#all")
  void agreesWithTheReferenceWithoutAMessage(OpCase c) {
    OpParity.check(c, backend);
    assertThat(device.instance.messages()).isEmpty();
  }
}
