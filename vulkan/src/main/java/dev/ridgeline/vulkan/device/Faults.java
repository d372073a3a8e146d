package dev.ridgeline.vulkan.device;

import static org.lwjgl.vulkan.VK13.VK_ERROR_DEVICE_LOST;
import static org.lwjgl.vulkan.VK13.VK_ERROR_OUT_OF_DEVICE_MEMORY;
import static org.lwjgl.vulkan.VK13.VK_SUCCESS;
import static org.lwjgl.vulkan.VK13.VK_TIMEOUT;

import java.util.Locale;

/**
 * A failure that no test can bring about on a healthy device: the n-th call of one kind ends with a
 * result of choice. Property {@value #PROPERTY} asks for it: {@code await:20:lost}, {@code
 * submit:1:lost}, {@code await:3:timeout}, {@code allocate:7:memory}, {@code copy:2:memory}.
 */
final class Faults {
  static final String PROPERTY = "ridgeline.vulkan.fault";

  /** Calls that can fail while a model is loaded or runs. */
  enum Call {
    ALLOCATE,
    COPY,
    SUBMIT,
    AWAIT
  }

  private final String call;
  private final int result;
  private int left;

  private Faults(String call, int left, int result) {
    this.call = call;
    this.left = left;
    this.result = result;
  }

  /** What the property asks for; without it nothing ever fails. */
  static Faults asked() {
    String[] parts = System.getProperty(PROPERTY, "").split(":");
    return parts.length == 3
        ? new Faults(parts[0].toUpperCase(Locale.ROOT), Integer.parseInt(parts[1]), code(parts[2]))
        : new Faults("", 0, VK_SUCCESS);
  }

  private static int code(String name) {
    return switch (name) {
      case "lost" -> VK_ERROR_DEVICE_LOST;
      case "timeout" -> VK_TIMEOUT;
      case "memory" -> VK_ERROR_OUT_OF_DEVICE_MEMORY;
      default -> throw new IllegalArgumentException(PROPERTY + ": " + name);
    };
  }

  /** The result that this {@code made} call ends with: success, or what was asked for. */
  int result(Call made) {
    return made.name().equals(call) && --left == 0 ? result : VK_SUCCESS;
  }
}
