package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.VK13.*;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkPipelineCacheCreateInfo;

/**
 * What the driver keeps of compiled pipelines, in a file of the user's cache folder, so that the
 * next start does not compile them again. Before the bytes stand the device, the driver and its
 * version, and a check sum: drivers have crashed on damaged ones. A file that cannot be read or
 * written is no error, only a slower start.
 */
final class PipelineCacheFile {
  private static final Logger LOG = System.getLogger(PipelineCacheFile.class.getName());

  private PipelineCacheFile() {}

  /** The cache of {@code device}, from its file where there is one. */
  static long open(VkDevice device, DeviceInfo info) {
    byte[] bytes = read(path(info), info.cacheId());
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
          write(path(info), info.cacheId(), bytes);
        }
      } finally {
        MemoryUtil.memFree(data);
      }
    }
  }

  /**
   * What this device and driver wrote, whole; nothing, with a word, where anything is different.
   */
  static byte[] read(Path file, String id) {
    try {
      if (!Files.exists(file)) {
        return new byte[0];
      }
      ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file));
      byte[] header = header(id);
      if (all.remaining() > header.length + Long.BYTES) {
        byte[] found = new byte[header.length];
        all.get(found);
        long sum = all.getLong();
        byte[] data = new byte[all.remaining()];
        all.get(data);
        if (Arrays.equals(found, header) && sum == sum(data)) {
          return data;
        }
      }
      LOG.log(
          Level.WARNING, file + ": is damaged or of another driver; pipelines are compiled anew");
    } catch (IOException e) {
      LOG.log(Level.WARNING, file + ": cannot be read (" + e + "); pipelines are compiled anew");
    }
    return new byte[0];
  }

  private static byte[] header(String id) {
    return ("ridgeline pipelines 1 " + id + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static long sum(byte[] data) {
    var sum = new CRC32C();
    sum.update(data);
    return sum.getValue();
  }

  static void write(Path file, String id, byte[] bytes) {
    try {
      Files.createDirectories(file.getParent());
      Path whole = Files.createTempFile(file.getParent(), "pipelines", ".tmp");
      byte[] header = header(id);
      ByteBuffer all = ByteBuffer.allocate(header.length + Long.BYTES + bytes.length);
      Files.write(whole, all.put(header).putLong(sum(bytes)).put(bytes).array());
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
    return folder.resolve("ridgeline").resolve("pipelines-" + info.cacheId() + ".bin");
  }
}
