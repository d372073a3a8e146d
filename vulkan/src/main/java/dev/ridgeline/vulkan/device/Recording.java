package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.VK13.*;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkBufferCopy;
import org.lwjgl.vulkan.VkCommandBuffer;
import org.lwjgl.vulkan.VkCommandBufferAllocateInfo;
import org.lwjgl.vulkan.VkCommandBufferBeginInfo;
import org.lwjgl.vulkan.VkFenceCreateInfo;
import org.lwjgl.vulkan.VkMemoryBarrier;
import org.lwjgl.vulkan.VkQueryPoolCreateInfo;
import org.lwjgl.vulkan.VkSubmitInfo;

/**
 * Commands recorded once, by {@link #dispatch}, {@link #copy}, {@link #barrier} and {@link #end},
 * and then run any number of times. What the host wrote to mapped buffers before {@link #submit} is
 * seen by the device; what the device wrote to them is seen by the host after {@link #await}.
 * Running allocates nothing on the heap.
 */
public final class Recording implements AutoCloseable {
  private static final int STAGES =
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

  private final GpuDevice device;
  private final VkCommandBuffer commands;
  private final VkSubmitInfo submit;
  private final PointerBuffer commandPointer;
  private final long fence;
  private final long queries;
  private final int maxTimestamps;
  private int timestamps;
  private boolean pending;

  Recording(GpuDevice device, int maxTimestamps) {
    this.device = device;
    this.maxTimestamps = maxTimestamps;
    try (MemoryStack stack = stackPush()) {
      var allocate =
          VkCommandBufferAllocateInfo.calloc(stack)
              .sType$Default()
              .commandPool(device.commandPool)
              .level(VK_COMMAND_BUFFER_LEVEL_PRIMARY)
              .commandBufferCount(1);
      PointerBuffer handle = stack.mallocPointer(1);
      VulkanException.check(
          vkAllocateCommandBuffers(device.device, allocate, handle), "making a command buffer");
      commands = new VkCommandBuffer(handle.get(0), device.device);
      LongBuffer result = stack.mallocLong(1);
      VulkanException.check(
          vkCreateFence(
              device.device, VkFenceCreateInfo.calloc(stack).sType$Default(), null, result),
          "creating a fence");
      fence = result.get(0);
      queries = maxTimestamps == 0 ? VK_NULL_HANDLE : queryPool(maxTimestamps, stack);
      VulkanException.check(
          vkBeginCommandBuffer(commands, VkCommandBufferBeginInfo.calloc(stack).sType$Default()),
          "recording");
    }
    commandPointer = MemoryUtil.memAllocPointer(1).put(0, commands.address());
    submit = VkSubmitInfo.calloc().sType$Default().pCommandBuffers(commandPointer);
    if (maxTimestamps > 0) {
      vkCmdResetQueryPool(commands, queries, 0, maxTimestamps);
    }
    memoryBarrier(
        VK_PIPELINE_STAGE_HOST_BIT,
        VK_ACCESS_HOST_WRITE_BIT,
        STAGES,
        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT);
  }

  private long queryPool(int count, MemoryStack stack) {
    var info =
        VkQueryPoolCreateInfo.calloc(stack)
            .sType$Default()
            .queryType(VK_QUERY_TYPE_TIMESTAMP)
            .queryCount(count);
    LongBuffer result = stack.mallocLong(1);
    VulkanException.check(
        vkCreateQueryPool(device.device, info, null, result), "creating timestamps");
    return result.get(0);
  }

  /**
   * Runs {@code x * y * z} workgroups.
   *
   * @param push at most {@link GpuDevice#PUSH_BYTES} bytes, a multiple of 4, from its position to
   *     its limit; copied
   */
  public void dispatch(GpuPipeline pipeline, ByteBuffer push, int x, int y, int z) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
    vkCmdPushConstants(commands, device.pipelineLayout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push);
    vkCmdDispatch(commands, x, y, z);
  }

  /** Copies {@code bytes} bytes between buffers. */
  public void copy(GpuBuffer from, long fromByte, GpuBuffer to, long toByte, long bytes) {
    try (MemoryStack stack = stackPush()) {
      var region = VkBufferCopy.calloc(1, stack).srcOffset(fromByte).dstOffset(toByte).size(bytes);
      vkCmdCopyBuffer(commands, from.handle, to.handle, region);
    }
  }

  /** Sets bytes of a buffer to zero; offset and size are multiples of 4. */
  public void clear(GpuBuffer buffer, long fromByte, long bytes) {
    vkCmdFillBuffer(commands, buffer.handle, fromByte, bytes, 0);
  }

  /** Everything recorded so far is done, and seen, before what follows starts. */
  public void barrier() {
    int reads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;
    int writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    memoryBarrier(STAGES, writes, STAGES, reads | writes);
  }

  /**
   * Notes the time when everything recorded so far is done.
   *
   * @return its index among {@link #ticks}
   * @throws IllegalStateException past the number asked for
   */
  public int timestamp() {
    if (timestamps == maxTimestamps) {
      throw new IllegalStateException("more than " + maxTimestamps + " timestamps");
    }
    vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries, timestamps);
    return timestamps++;
  }

  /** Closes the recording; now it can run. */
  public void end() {
    memoryBarrier(
        STAGES,
        VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        VK_PIPELINE_STAGE_HOST_BIT,
        VK_ACCESS_HOST_READ_BIT);
    VulkanException.check(vkEndCommandBuffer(commands), "recording");
  }

  /** Starts it; it must not be running. */
  public void submit() {
    device.submit(device.queue, submit, fence);
    pending = true;
  }

  /** Starts {@code copy}, and this when the copy is done. */
  public void submitAfter(QueueCopy copy) {
    copy.submit();
    try (MemoryStack stack = stackPush()) {
      device.submit(
          device.queue,
          VkSubmitInfo.calloc(stack)
              .sType$Default()
              .pCommandBuffers(commandPointer)
              .waitSemaphoreCount(1)
              .pWaitSemaphores(stack.longs(copy.semaphore))
              .pWaitDstStageMask(stack.ints(STAGES)),
          fence);
    }
    pending = true;
  }

  /**
   * Waits until it has run.
   *
   * @throws dev.ridgeline.backend.DeviceFailedException if the device is lost or does not answer
   */
  public void await() {
    device.await(fence);
    pending = false;
  }

  /** Runs it and waits. */
  public void run() {
    submit();
    await();
  }

  /** Nanoseconds of each {@link #timestamp} of the last run, from an arbitrary origin. */
  public double[] ticks() {
    try (MemoryStack stack = stackPush()) {
      LongBuffer ticks = stack.mallocLong(timestamps);
      VulkanException.check(
          vkGetQueryPoolResults(
              device.device, queries, 0, timestamps, ticks, 8, VK_QUERY_RESULT_64_BIT),
          "reading timestamps");
      double[] nanos = new double[timestamps];
      for (int i = 0; i < timestamps; i++) {
        nanos[i] = (ticks.get(i) - ticks.get(0)) * device.info().timestampNanos();
      }
      return nanos;
    }
  }

  private void memoryBarrier(int fromStages, int fromAccess, int toStages, int toAccess) {
    try (MemoryStack stack = stackPush()) {
      var barrier =
          VkMemoryBarrier.calloc(1, stack)
              .sType$Default()
              .srcAccessMask(fromAccess)
              .dstAccessMask(toAccess);
      vkCmdPipelineBarrier(commands, fromStages, toStages, 0, barrier, null, null);
    }
  }

  @Override
  public void close() {
    if (pending) {
      device.waitIdle();
    }
    if (device.isStuck()) {
      return;
    }
    if (queries != VK_NULL_HANDLE) {
      vkDestroyQueryPool(device.device, queries, null);
    }
    vkDestroyFence(device.device, fence, null);
    vkFreeCommandBuffers(device.device, device.commandPool, commands);
    submit.free();
    MemoryUtil.memFree(commandPointer);
  }
}
