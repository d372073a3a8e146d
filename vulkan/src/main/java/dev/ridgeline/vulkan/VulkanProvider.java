package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.VulkanException;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds {@link VulkanBackend}; preferred to the processor where there is a real device. */
public final class VulkanProvider implements BackendProvider {
  private static @Nullable List<DeviceInfo> devices;
  private static @Nullable String failure;

  @Override
  public String name() {
    return "vulkan";
  }

  /**
   * Above the processor's; a software device is there to be asked for by name only, so that where
   * no device shows itself the driver is not started, which takes 0.4 s.
   */
  @Override
  public int preference() {
    if (!mayHaveHardware()) {
      return -1;
    }
    try {
      return devices().stream().anyMatch(d -> usable(d) && d.kind() != Kind.SOFTWARE) ? 100 : -1;
    } catch (VulkanException e) {
      return -1;
    }
  }

  @Override
  public Optional<String> unavailable() {
    try {
      List<DeviceInfo> devices = devices();
      return devices.stream().anyMatch(VulkanProvider::usable)
          ? Optional.empty()
          : Optional.of("no usable Vulkan device; found " + devices);
    } catch (VulkanException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public Backend open(BackendOptions options) {
    VulkanInstance instance = VulkanInstance.open(false);
    boolean done = false;
    try {
      var backend = new VulkanBackend(instance, options.device());
      done = true;
      return backend;
    } finally {
      if (!done) {
        instance.close();
      }
    }
  }

  /** On Linux the devices of every driver are files in one of these places. */
  private static boolean mayHaveHardware() {
    return !System.getProperty("os.name", "").equals("Linux")
        || Stream.of("dri", "nvidiactl", "nvidia0", "kfd", "dxg", "kgsl-3d0", "mali0")
            .anyMatch(device -> Files.exists(Path.of("/dev", device)));
  }

  private static boolean usable(DeviceInfo device) {
    return device.missing().isEmpty();
  }

  /** Asked once a process: a driver takes long to start, and devices do not come and go. */
  private static synchronized List<DeviceInfo> devices() {
    if (failure != null) {
      throw new VulkanException(failure);
    }
    if (devices == null) {
      try (VulkanInstance instance = VulkanInstance.open(false)) {
        devices = List.copyOf(instance.devices());
      } catch (VulkanException e) {
        failure = String.valueOf(e.getMessage());
        throw e;
      }
    }
    return devices;
  }
}
