package dev.ridgeline.vulkan;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.VulkanException;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.util.List;

/**
 * The device of the tests: the software one, so that results do not depend on the machine, under
 * the validation layers. Property {@code ridgeline.vulkan.device} takes another, by index.
 */
final class TestDevice implements AutoCloseable {
  final VulkanInstance instance;
  final int index;

  private TestDevice(VulkanInstance instance, int index) {
    this.instance = instance;
    this.index = index;
  }

  /** Opens it, or skips the test where there is no driver. */
  static TestDevice open() {
    VulkanInstance instance;
    try {
      instance = VulkanInstance.open(VulkanInstance.hasValidation());
    } catch (VulkanException e) {
      return abort(String.valueOf(e.getMessage()));
    }
    List<DeviceInfo> devices = instance.devices();
    int index = Integer.getInteger("ridgeline.vulkan.device", -1);
    for (DeviceInfo info : devices) {
      if (index < 0 && info.kind() == Kind.SOFTWARE) {
        index = info.index();
      }
    }
    if (index < 0) {
      instance.close();
      return abort("no software Vulkan device (Debian: mesa-vulkan-drivers); found " + devices);
    }
    return new TestDevice(instance, index);
  }

  @Override
  public void close() {
    instance.close();
  }
}
