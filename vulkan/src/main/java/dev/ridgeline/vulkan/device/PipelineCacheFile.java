package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.VK13.*;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkPipelineCacheCreateInfo;

/**
 * What the driver keeps of compiled pipelines, in a file of the user's cache folder, so that the
 * next start does not compile them again. The driver checks that the bytes are its own; a file that
 * cannot be read or written is no error, only a slower start.
 */
final class PipelineCacheFile {
  private PipelineCacheFile() {}

  /** The cache of {@code device}, from its file where there is one. */
  static long open(VkDevice device, DeviceInfo info) {
    byte[] bytes = read(path(info));
    ByteBuffer data = MemoryUtil.memAlloc(Math.max(1, bytes.length)).put(bytes).flip();
    try (MemoryStack stack = stackPush()) {
      var create = VkPipelineCacheCreateInfo.calloc(stack).sType$Default();
      if (bytes.length > 0) {
        create.pInitialData(data);
      }
      LongBuffer result = stack.mallocLong(1);
      VulkanException.check(
          vkCreatePipelineCache(device, create, null, result), "creating a pipeline cache");
      return result.get(0);
    } finally {
      MemoryUtil.memFree(data);
    }
  }

  /** Writes the cache to its file, whole or not at all. */
  static void save(VkDevice device, DeviceInfo info, long cache) {
    try (MemoryStack stack = stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      if (vkGetPipelineCacheData(device, cache, size, null) != VK_SUCCESS || size.get(0) == 0) {
        return;
      }
      ByteBuffer data = MemoryUtil.memAlloc(Math.toIntExact(size.get(0)));
      try {
        if (vkGetPipelineCacheData(device, cache, size, data) == VK_SUCCESS) {
          byte[] bytes = new byte[Math.toIntExact(size.get(0))];
          data.get(bytes);
          write(path(info), bytes);
        }
      } finally {
        MemoryUtil.memFree(data);
      }
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    } catch (IOException e) {
      return new byte[0];
    }
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.createDirectories(file.getParent());
      Path whole = Files.createTempFile(file.getParent(), "pipelines", ".tmp");
      Files.write(whole, bytes);
      Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // a read-only home: pipelines are compiled at each start
    }
  }

  /** One file a device and driver, in {@code XDG_CACHE_HOME} or {@code ~/.cache}. */
  private static Path path(DeviceInfo info) {
    String base = System.getenv("XDG_CACHE_HOME");
    Path folder =
        base == null || base.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(base);
    int hash = (info.name() + info.driver()).hashCode();
    return folder
        .resolve("ridgeline")
        .resolve("pipelines-" + HexFormat.of().toHexDigits(hash) + ".bin");
  }
}
