package dev.ridgeline.vulkan.device;

import static org.lwjgl.vulkan.VK13.VK_ERROR_DEVICE_LOST;
import static org.lwjgl.vulkan.VK13.VK_ERROR_INCOMPATIBLE_DRIVER;
import static org.lwjgl.vulkan.VK13.VK_ERROR_INITIALIZATION_FAILED;
import static org.lwjgl.vulkan.VK13.VK_ERROR_LAYER_NOT_PRESENT;
import static org.lwjgl.vulkan.VK13.VK_ERROR_OUT_OF_DEVICE_MEMORY;
import static org.lwjgl.vulkan.VK13.VK_ERROR_OUT_OF_HOST_MEMORY;
import static org.lwjgl.vulkan.VK13.VK_SUCCESS;
import static org.lwjgl.vulkan.VK13.VK_TIMEOUT;

/** A Vulkan call failed, or this machine has no usable Vulkan; one clear line. */
public final class VulkanException extends RuntimeException {
  private final boolean outOfMemory;

  /** With a message for people. */
  public VulkanException(String message) {
    this(message, false);
  }

  private VulkanException(String message, boolean outOfMemory) {
    super(message);
    this.outOfMemory = outOfMemory;
  }

  /** With a message for people and what caused it. */
  public VulkanException(String message, Throwable cause) {
    super(message, cause);
    outOfMemory = false;
  }

  /** Whether the device had no memory for what was asked of it. */
  public boolean isOutOfMemory() {
    return outOfMemory;
  }

  /**
   * Accepts {@code VK_SUCCESS}.
   *
   * @param what the work, such as {@code "allocating 12 bytes"}
   * @throws VulkanException naming the work and the result otherwise
   */
  static void check(int result, String what) {
    if (result != VK_SUCCESS) {
      throw new VulkanException(
          "vulkan: %s failed: %s".formatted(what, meaning(result)),
          result == VK_ERROR_OUT_OF_DEVICE_MEMORY);
    }
  }

  static String meaning(int result) {
    return switch (result) {
      case VK_ERROR_OUT_OF_DEVICE_MEMORY -> "the device is out of memory";
      case VK_ERROR_OUT_OF_HOST_MEMORY -> "the driver is out of host memory";
      case VK_ERROR_DEVICE_LOST ->
          "the device was lost (reset, unplugged or stuck); start again, and see the system log";
      case VK_TIMEOUT -> "no answer from the device in time";
      case VK_ERROR_INCOMPATIBLE_DRIVER -> "no driver for this version of Vulkan";
      case VK_ERROR_INITIALIZATION_FAILED -> "the driver could not be initialized";
      case VK_ERROR_LAYER_NOT_PRESENT -> "a layer is not installed";
      default -> "result " + result;
    };
  }
}
