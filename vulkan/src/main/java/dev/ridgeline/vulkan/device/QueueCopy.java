package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.VK13.*;

import java.nio.LongBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkBufferCopy;
import org.lwjgl.vulkan.VkCommandBuffer;
import org.lwjgl.vulkan.VkCommandBufferAllocateInfo;
import org.lwjgl.vulkan.VkCommandBufferBeginInfo;
import org.lwjgl.vulkan.VkCommandPoolCreateInfo;
import org.lwjgl.vulkan.VkSemaphoreCreateInfo;
import org.lwjgl.vulkan.VkSubmitInfo;

/**
 * The copy of a whole pinned buffer to one on the device, by the queue that does nothing but copy:
 * while it runs, the compute queue works on something else. Each run is waited for by one {@link
 * Recording#submitAfter}.
 */
public final class QueueCopy implements AutoCloseable {
  private final GpuDevice device;
  private final long pool;
  private final VkCommandBuffer commands;
  private final PointerBuffer commandPointer;
  final long semaphore;

  QueueCopy(GpuDevice device, GpuBuffer from, GpuBuffer to) {
    this.device = device;
    try (MemoryStack stack = stackPush()) {
      LongBuffer result = stack.mallocLong(1);
      VulkanException.check(
          vkCreateCommandPool(
              device.device,
              VkCommandPoolCreateInfo.calloc(stack)
                  .sType$Default()
                  .queueFamilyIndex(device.transferFamily),
              null,
              result),
          "creating a command pool");
      pool = result.get(0);
      VulkanException.check(
          vkCreateSemaphore(
              device.device, VkSemaphoreCreateInfo.calloc(stack).sType$Default(), null, result),
          "creating a semaphore");
      semaphore = result.get(0);
      PointerBuffer handle = stack.mallocPointer(1);
      VulkanException.check(
          vkAllocateCommandBuffers(
              device.device,
              VkCommandBufferAllocateInfo.calloc(stack)
                  .sType$Default()
                  .commandPool(pool)
                  .level(VK_COMMAND_BUFFER_LEVEL_PRIMARY)
                  .commandBufferCount(1),
              handle),
          "making a command buffer");
      commands = new VkCommandBuffer(handle.get(0), device.device);
      VulkanException.check(
          vkBeginCommandBuffer(commands, VkCommandBufferBeginInfo.calloc(stack).sType$Default()),
          "recording");
      var region = VkBufferCopy.calloc(1, stack).size(Math.min(from.bytes(), to.bytes()));
      vkCmdCopyBuffer(commands, from.handle, to.handle, region);
      VulkanException.check(vkEndCommandBuffer(commands), "recording");
    }
    commandPointer = MemoryUtil.memAllocPointer(1).put(0, commands.address());
  }

  void submit() {
    try (MemoryStack stack = stackPush()) {
      device.submit(
          device.transferQueue,
          VkSubmitInfo.calloc(stack)
              .sType$Default()
              .pCommandBuffers(commandPointer)
              .pSignalSemaphores(stack.longs(semaphore)),
          VK_NULL_HANDLE);
    }
  }

  /** Frees it; what waited for it must be over. */
  @Override
  public void close() {
    if (!device.isStuck()) {
      vkDestroySemaphore(device.device, semaphore, null);
      vkDestroyCommandPool(device.device, pool, null);
    }
    MemoryUtil.memFree(commandPointer);
  }
}
