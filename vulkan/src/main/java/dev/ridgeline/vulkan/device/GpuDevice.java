package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.EXTMemoryBudget.VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
import static org.lwjgl.vulkan.KHRCooperativeMatrix.VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
import static org.lwjgl.vulkan.KHRPipelineExecutableProperties.*;
import static org.lwjgl.vulkan.VK13.*;

import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.HostMemory;
import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.vulkan.VkBufferCreateInfo;
import org.lwjgl.vulkan.VkBufferDeviceAddressInfo;
import org.lwjgl.vulkan.VkCommandPoolCreateInfo;
import org.lwjgl.vulkan.VkComputePipelineCreateInfo;
import org.lwjgl.vulkan.VkDevice;
import org.lwjgl.vulkan.VkDeviceCreateInfo;
import org.lwjgl.vulkan.VkDeviceQueueCreateInfo;
import org.lwjgl.vulkan.VkMemoryAllocateFlagsInfo;
import org.lwjgl.vulkan.VkMemoryAllocateInfo;
import org.lwjgl.vulkan.VkMemoryRequirements;
import org.lwjgl.vulkan.VkPhysicalDevice;
import org.lwjgl.vulkan.VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
import org.lwjgl.vulkan.VkPhysicalDeviceFeatures2;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryBudgetPropertiesEXT;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryProperties;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryProperties2;
import org.lwjgl.vulkan.VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan11Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Features;
import org.lwjgl.vulkan.VkPipelineExecutableInfoKHR;
import org.lwjgl.vulkan.VkPipelineExecutableStatisticKHR;
import org.lwjgl.vulkan.VkPipelineLayoutCreateInfo;
import org.lwjgl.vulkan.VkPipelineShaderStageRequiredSubgroupSizeCreateInfo;
import org.lwjgl.vulkan.VkPushConstantRange;
import org.lwjgl.vulkan.VkQueue;
import org.lwjgl.vulkan.VkQueueFamilyProperties;
import org.lwjgl.vulkan.VkShaderModuleCreateInfo;
import org.lwjgl.vulkan.VkSpecializationInfo;
import org.lwjgl.vulkan.VkSpecializationMapEntry;
import org.lwjgl.vulkan.VkSubmitInfo;

/**
 * An open device with one compute queue. All shaders share one interface: no descriptors, only
 * {@value #PUSH_BYTES} bytes of push constants, in which buffers are 64-bit device addresses; hence
 * no limit on a buffer's size but the allocation's. Callers serialize the calls.
 */
public final class GpuDevice implements AutoCloseable {
  /** Push constants of every pipeline: what Vulkan guarantees. */
  public static final int PUSH_BYTES = 128;

  /** What a queue that copies may do besides: sparse binding, protected memory. */
  private static final int COPY_ONLY =
      VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;

  /** The specialization constant of every shader that holds the size of a subgroup. */
  private static final int SUBGROUP_CONSTANT = 31;

  private final VkPhysicalDevice physical;
  private final DeviceInfo info;
  final VkDevice device;
  final VkQueue queue;

  /** Of the queue that only copies; of {@link #queue} where there is none. */
  final int transferFamily;

  final VkQueue transferQueue;
  private final int family;
  final long commandPool;
  final long pipelineLayout;
  private final long pipelineCache;
  private final List<GpuPipeline> pipelines = new ArrayList<>();
  private final Faults faults = Faults.asked();
  private final AtomicInteger buffers = new AtomicInteger();
  private final AtomicLong bufferBytes = new AtomicLong();

  /** Why nothing runs on it any more. */
  private volatile @Nullable String failure;

  /** Whether it may still be at work on something that nobody waits for any more. */
  private volatile boolean stuck;

  GpuDevice(VkPhysicalDevice physical, DeviceInfo info) {
    this.physical = physical;
    this.info = info;
    try (MemoryStack stack = stackPush()) {
      family = family(stack, VK_QUEUE_COMPUTE_BIT, 0);
      if (family < 0) {
        throw new VulkanException("vulkan: %s has no compute queue".formatted(info));
      }
      int copies = family(stack, VK_QUEUE_TRANSFER_BIT, ~COPY_ONLY);
      transferFamily = copies < 0 ? family : copies;
      device = createDevice(stack);
      queue = queue(family, stack);
      transferQueue = transferFamily == family ? queue : queue(transferFamily, stack);
      LongBuffer result = stack.mallocLong(1);
      var pool = VkCommandPoolCreateInfo.calloc(stack).sType$Default().queueFamilyIndex(family);
      VulkanException.check(
          vkCreateCommandPool(device, pool, null, result), "creating a command pool");
      commandPool = result.get(0);
      var range =
          VkPushConstantRange.calloc(1, stack)
              .stageFlags(VK_SHADER_STAGE_COMPUTE_BIT)
              .size(PUSH_BYTES);
      var layout =
          VkPipelineLayoutCreateInfo.calloc(stack).sType$Default().pPushConstantRanges(range);
      VulkanException.check(
          vkCreatePipelineLayout(device, layout, null, result), "creating the pipeline layout");
      pipelineLayout = result.get(0);
      pipelineCache = PipelineCacheFile.open(device, info);
    }
  }

  /** What it is. */
  public DeviceInfo info() {
    return info;
  }

  /**
   * A heap of memory.
   *
   * @param budgetBytes what this process may use of it; all of it where the driver does not tell
   * @param usedBytes what it uses; 0 where the driver does not tell
   */
  public record Heap(boolean deviceLocal, long bytes, long budgetBytes, long usedBytes) {}

  /** Its heaps as they are now. */
  public List<Heap> heaps() {
    try (MemoryStack stack = stackPush()) {
      var properties = VkPhysicalDeviceMemoryProperties2.calloc(stack).sType$Default();
      var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT.calloc(stack).sType$Default();
      boolean known = info.features().contains(Feature.MEMORY_BUDGET);
      if (known) {
        properties.pNext(budget);
      }
      vkGetPhysicalDeviceMemoryProperties2(physical, properties);
      var memory = properties.memoryProperties();
      var heaps = new ArrayList<Heap>();
      for (int i = 0; i < memory.memoryHeapCount(); i++) {
        long bytes = memory.memoryHeaps(i).size();
        heaps.add(
            new Heap(
                (memory.memoryHeaps(i).flags() & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0,
                bytes,
                known ? budget.heapBudget(i) : bytes,
                known ? budget.heapUsage(i) : 0));
      }
      return heaps;
    }
  }

  /**
   * Bytes that {@link #buffer} of {@link GpuBuffer.Use#DEVICE} memory could still take; of memory
   * that is the processor's too, no more than the processor has free.
   */
  public long availableBytes() {
    try (MemoryStack stack = stackPush()) {
      var memory = VkPhysicalDeviceMemoryProperties.malloc(stack);
      vkGetPhysicalDeviceMemoryProperties(physical, memory);
      int type = memoryType(memory, ~0, GpuBuffer.Use.DEVICE);
      Heap heap = heaps().get(memory.memoryTypes(type).heapIndex());
      long free = Math.max(0, heap.budgetBytes - heap.usedBytes);
      boolean shared =
          info.kind() == DeviceInfo.Kind.SOFTWARE || info.kind() == DeviceInfo.Kind.INTEGRATED;
      return shared ? Math.min(free, HostMemory.availableBytes()) : free;
    }
  }

  /**
   * Allocates {@code bytes} (rounded up to 16) for {@code use}; mapped memory is zeroed.
   *
   * @throws VulkanException if they are more than one buffer can hold or than there is memory
   */
  public GpuBuffer buffer(long bytes, GpuBuffer.Use use) {
    long size = Math.max(16, (bytes + 15) & ~15L);
    if (size > info.maxBufferBytes()) {
      throw new VulkanException(
          "vulkan: a buffer of %d bytes; %s allows %d"
              .formatted(size, info.name(), info.maxBufferBytes()));
    }
    try (MemoryStack stack = stackPush()) {
      var create =
          VkBufferCreateInfo.calloc(stack)
              .sType$Default()
              .size(size)
              .usage(
                  VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
                      | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT
                      | VK_BUFFER_USAGE_TRANSFER_SRC_BIT
                      | VK_BUFFER_USAGE_TRANSFER_DST_BIT)
              .sharingMode(VK_SHARING_MODE_EXCLUSIVE);
      if (use == GpuBuffer.Use.STAGED && transferFamily != family) {
        create
            .sharingMode(VK_SHARING_MODE_CONCURRENT)
            .pQueueFamilyIndices(stack.ints(family, transferFamily));
      }
      LongBuffer handle = stack.mallocLong(1);
      VulkanException.check(vkCreateBuffer(device, create, null, handle), "creating a buffer");
      long memory = VK_NULL_HANDLE;
      boolean done = false;
      try {
        memory = allocate(handle.get(0), use, stack);
        VulkanException.check(
            vkBindBufferMemory(device, handle.get(0), memory, 0), "binding a buffer");
        GpuBuffer result = bound(handle.get(0), memory, size, use, stack);
        done = true;
        return result;
      } finally {
        if (!done) {
          free(handle.get(0), memory);
        }
      }
    }
  }

  private GpuBuffer bound(
      long handle, long memory, long size, GpuBuffer.Use use, MemoryStack stack) {
    MemorySegment mapped = null;
    if (use != GpuBuffer.Use.DEVICE && use != GpuBuffer.Use.STAGED) {
      PointerBuffer at = stack.mallocPointer(1);
      VulkanException.check(
          vkMapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, at), "mapping " + size + " bytes");
      mapped = MemorySegment.ofAddress(at.get(0)).reinterpret(size);
      mapped.fill((byte) 0);
    }
    var address = VkBufferDeviceAddressInfo.calloc(stack).sType$Default().buffer(handle);
    buffers.incrementAndGet();
    bufferBytes.addAndGet(size);
    return new GpuBuffer(
        this, size, handle, memory, vkGetBufferDeviceAddress(device, address), mapped);
  }

  private long allocate(long buffer, GpuBuffer.Use use, MemoryStack stack) {
    var needs = VkMemoryRequirements.malloc(stack);
    vkGetBufferMemoryRequirements(device, buffer, needs);
    var memory = VkPhysicalDeviceMemoryProperties.malloc(stack);
    vkGetPhysicalDeviceMemoryProperties(physical, memory);
    var flags =
        VkMemoryAllocateFlagsInfo.calloc(stack)
            .sType$Default()
            .flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT);
    var info =
        VkMemoryAllocateInfo.calloc(stack)
            .sType$Default()
            .pNext(flags)
            .allocationSize(needs.size())
            .memoryTypeIndex(memoryType(memory, needs.memoryTypeBits(), use));
    LongBuffer handle = stack.mallocLong(1);
    int fault = faults.result(Faults.Call.ALLOCATE);
    VulkanException.check(
        fault == VK_SUCCESS ? vkAllocateMemory(device, info, null, handle) : fault,
        "allocating %d bytes of %s memory".formatted(needs.size(), use));
    return handle.get(0);
  }

  /** The first type with the best flags: drivers list faster types of equal flags first. */
  private static int memoryType(
      VkPhysicalDeviceMemoryProperties memory, int allowed, GpuBuffer.Use use) {
    int mappable = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    int[] wishes =
        switch (use) {
          case DEVICE, STAGED -> new int[] {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
          case UPLOAD -> new int[] {mappable | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, mappable};
          case PINNED -> new int[] {mappable};
          case READBACK -> new int[] {mappable | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, mappable};
        };
    for (int wish : wishes) {
      for (int i = 0; i < memory.memoryTypeCount(); i++) {
        if ((allowed & (1 << i)) != 0 && (memory.memoryTypes(i).propertyFlags() & wish) == wish) {
          return i;
        }
      }
    }
    throw new VulkanException("vulkan: the device has no memory for " + use);
  }

  /** Buffers that are not closed. */
  public int buffers() {
    return buffers.get();
  }

  /** Bytes of the buffers that are not closed. */
  public long bufferBytes() {
    return bufferBytes.get();
  }

  /** How long to wait for what was submitted: no step of a real device takes as long. */
  long timeoutNanos() {
    return (info.kind() == DeviceInfo.Kind.SOFTWARE ? 600 : 30) * 1_000_000_000L;
  }

  /** Submits {@code work}, whose end {@code fence} tells. */
  void submit(VkQueue to, VkSubmitInfo work, long fence) {
    requireUsable();
    int fault = faults.result(Faults.Call.SUBMIT);
    check(fault == VK_SUCCESS ? vkQueueSubmit(to, work, fence) : fault, "submitting work");
  }

  /** Waits for {@code fence} and resets it. */
  void await(long fence) {
    requireUsable();
    int result = vkWaitForFences(device, fence, true, timeoutNanos());
    int fault = faults.result(Faults.Call.AWAIT);
    check(fault == VK_SUCCESS ? result : fault, "waiting for a step");
    VulkanException.check(vkResetFences(device, fence), "resetting a fence");
  }

  /** A loss and a time-out are for ever. */
  private void check(int result, String what) {
    if (result == VK_ERROR_DEVICE_LOST || result == VK_TIMEOUT) {
      stuck = result == VK_TIMEOUT;
      if (!stuck) {
        // Steps that were started ahead: what they use is freed soon. A lost device has ended them
        // all.
        vkDeviceWaitIdle(device);
      }
      failure =
          stuck
              ? "vulkan %d, %s: %s failed: no answer in %d s; start again, and see the system log"
                  .formatted(info.index(), info.name(), what, timeoutNanos() / 1_000_000_000L)
              : "vulkan %d, %s: %s failed: %s"
                  .formatted(info.index(), info.name(), what, VulkanException.meaning(result));
      requireUsable();
    }
    VulkanException.check(result, what);
  }

  private void requireUsable() {
    String why = failure;
    if (why != null) {
      throw new DeviceFailedException(why);
    }
  }

  /**
   * Whether it did not answer in time: it may still write to its memory, so that nothing of it is
   * ever freed, nor its instance.
   */
  public boolean isStuck() {
    return stuck;
  }

  void closed(long buffer, long memory, long size) {
    buffers.decrementAndGet();
    bufferBytes.addAndGet(-size);
    free(buffer, memory);
  }

  private void free(long buffer, long memory) {
    if (stuck) {
      return;
    }
    vkDestroyBuffer(device, buffer, null);
    vkFreeMemory(device, memory, null);
  }

  /**
   * Compiles a shader.
   *
   * @param name for errors and profiles
   * @param constants values of the specialization constants 0, 1, ...
   */
  public GpuPipeline pipeline(String name, byte[] spirv, int... constants) {
    ByteBuffer code = MemoryUtil.memAlloc(spirv.length).put(spirv).flip();
    try (MemoryStack stack = stackPush()) {
      var module = VkShaderModuleCreateInfo.calloc(stack).sType$Default().pCode(code);
      LongBuffer result = stack.mallocLong(1);
      VulkanException.check(
          vkCreateShaderModule(device, module, null, result), "loading shader " + name);
      long shader = result.get(0);
      try {
        var info = VkComputePipelineCreateInfo.calloc(1, stack).sType$Default();
        if (info().features().contains(Feature.STATISTICS)) {
          info.get(0).flags(VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR);
        }
        info.get(0).layout(pipelineLayout);
        info.get(0)
            .stage()
            .sType$Default()
            .stage(VK_SHADER_STAGE_COMPUTE_BIT)
            .module(shader)
            .pName(stack.UTF8("main"))
            .flags(VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT)
            .pSpecializationInfo(specialization(constants, info().usedSubgroupSize(), stack));
        if (info().minSubgroupSize() < info().maxSubgroupSize()) {
          info.get(0)
              .stage()
              .pNext(
                  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo.calloc(stack)
                      .sType$Default()
                      .requiredSubgroupSize(info().usedSubgroupSize()));
        }
        VulkanException.check(
            vkCreateComputePipelines(device, pipelineCache, info, null, result),
            "compiling shader " + name);
      } finally {
        vkDestroyShaderModule(device, shader, null);
      }
      var pipeline = new GpuPipeline(result.get(0), name);
      pipelines.add(pipeline);
      return pipeline;
    } finally {
      MemoryUtil.memFree(code);
    }
  }

  /**
   * What the driver's compiler says of {@code pipeline}, such as registers, spills and the size of
   * the code, under its own names; empty where the driver does not tell.
   */
  public Map<String, String> statistics(GpuPipeline pipeline) {
    var result = new LinkedHashMap<String, String>();
    if (!info.features().contains(Feature.STATISTICS)) {
      return result;
    }
    try (MemoryStack stack = stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      var executable =
          VkPipelineExecutableInfoKHR.calloc(stack).sType$Default().pipeline(pipeline.handle);
      VulkanException.check(
          vkGetPipelineExecutableStatisticsKHR(device, executable, count, null), "statistics");
      try (var all = VkPipelineExecutableStatisticKHR.calloc(count.get(0))) {
        all.forEach(s -> s.sType$Default());
        VulkanException.check(
            vkGetPipelineExecutableStatisticsKHR(device, executable, count, all), "statistics");
        for (VkPipelineExecutableStatisticKHR s : all) {
          String value =
              switch (s.format()) {
                case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR ->
                    String.valueOf(s.value().f64());
                case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR ->
                    String.valueOf(s.value().b32());
                default -> String.valueOf(s.value().i64());
              };
          result.put(s.nameString(), value);
        }
      }
    }
    return result;
  }

  private static VkSpecializationInfo specialization(
      int[] constants, int subgroupSize, MemoryStack stack) {
    var entries = VkSpecializationMapEntry.calloc(constants.length + 1, stack);
    ByteBuffer data = stack.malloc(4, 4 * constants.length + 4);
    entries
        .get(constants.length)
        .constantID(SUBGROUP_CONSTANT)
        .offset(4 * constants.length)
        .size(4);
    data.putInt(4 * constants.length, subgroupSize);
    for (int i = 0; i < constants.length; i++) {
      entries.get(i).constantID(i).offset(4 * i).size(4);
      data.putInt(4 * i, constants[i]);
    }
    return VkSpecializationInfo.calloc(stack).pMapEntries(entries).pData(data);
  }

  /** A command buffer to be recorded once and submitted often. */
  public Recording record() {
    return new Recording(this, 0);
  }

  /** The same, with room for {@code timestamps} timestamps. */
  public Recording record(int timestamps) {
    return new Recording(this, timestamps);
  }

  /** Waits until nothing runs; after a loss of the device there is nothing to wait for. */
  public void waitIdle() {
    if (failure == null) {
      vkDeviceWaitIdle(device);
    }
  }

  @Override
  public void close() {
    if (stuck) {
      return;
    }
    waitIdle();
    pipelines.forEach(p -> vkDestroyPipeline(device, p.handle, null));
    PipelineCacheFile.save(device, info, pipelineCache);
    vkDestroyPipelineCache(device, pipelineCache, null);
    vkDestroyPipelineLayout(device, pipelineLayout, null);
    vkDestroyCommandPool(device, commandPool, null);
    vkDestroyDevice(device, null);
  }

  private VkQueue queue(int ofFamily, MemoryStack stack) {
    PointerBuffer handle = stack.mallocPointer(1);
    vkGetDeviceQueue(device, ofFamily, 0, handle);
    return new VkQueue(handle.get(0), device);
  }

  /** The first family of queues that can do {@code all} of something and {@code none}; or -1. */
  private int family(MemoryStack stack, int all, int none) {
    IntBuffer count = stack.mallocInt(1);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, count, null);
    var families = VkQueueFamilyProperties.malloc(count.get(0), stack);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, count, families);
    for (int i = 0; i < families.capacity(); i++) {
      int flags = families.get(i).queueFlags();
      if ((flags & all) == all && (flags & none) == 0) {
        return i;
      }
    }
    return -1;
  }

  /**
   * Whether weights come by a {@link QueueCopy}: on cards with a queue that only copies. Elsewhere
   * the device takes them from where the host writes them. Property {@code
   * ridgeline.vulkan.upload}, {@code staged} or {@code direct}, decides otherwise.
   */
  public boolean copiesByQueue() {
    return switch (System.getProperty("ridgeline.vulkan.upload", "")) {
      case "staged" -> true;
      case "direct" -> false;
      default -> transferFamily != family && info.kind() == DeviceInfo.Kind.DISCRETE;
    };
  }

  /**
   * Copies all of {@code from}, which is pinned, to {@code to}, whenever a recording asks for it.
   */
  public QueueCopy copy(GpuBuffer from, GpuBuffer to) {
    VulkanException.check(faults.result(Faults.Call.COPY), "making a copy by a queue");
    return new QueueCopy(this, from, to);
  }

  private VkDevice createDevice(MemoryStack stack) {
    int[] used = transferFamily == family ? new int[] {family} : new int[] {family, transferFamily};
    var queues = VkDeviceQueueCreateInfo.calloc(used.length, stack);
    for (int i = 0; i < used.length; i++) {
      queues.get(i).sType$Default().queueFamilyIndex(used[i]).pQueuePriorities(stack.floats(1));
    }
    var create =
        VkDeviceCreateInfo.calloc(stack)
            .sType$Default()
            .pNext(VkPhysicalDeviceFeatures2.calloc(stack).sType$Default())
            .pNext(
                VkPhysicalDeviceVulkan11Features.calloc(stack)
                    .sType$Default()
                    .storageBuffer16BitAccess(true))
            .pNext(features12(stack))
            .pNext(
                VkPhysicalDeviceVulkan13Features.calloc(stack)
                    .sType$Default()
                    .synchronization2(true)
                    .subgroupSizeControl(true)
                    .computeFullSubgroups(true)
                    .maintenance4(true)
                    .shaderIntegerDotProduct(true))
            .pQueueCreateInfos(queues)
            .ppEnabledExtensionNames(extensionNames(stack));
    if (info.features().contains(Feature.COOPERATIVE_MATRIX)) {
      create.pNext(
          VkPhysicalDeviceCooperativeMatrixFeaturesKHR.calloc(stack)
              .sType$Default()
              .cooperativeMatrix(true));
    }
    if (info.features().contains(Feature.STATISTICS)) {
      create.pNext(
          VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR.calloc(stack)
              .sType$Default()
              .pipelineExecutableInfo(true));
    }
    PointerBuffer handle = stack.mallocPointer(1);
    VulkanException.check(vkCreateDevice(physical, create, null, handle), "opening " + info.name());
    return new VkDevice(handle.get(0), physical, create);
  }

  private VkPhysicalDeviceVulkan12Features features12(MemoryStack stack) {
    boolean matrices = info.features().contains(Feature.COOPERATIVE_MATRIX);
    return VkPhysicalDeviceVulkan12Features.calloc(stack)
        .sType$Default()
        .storageBuffer8BitAccess(true)
        .bufferDeviceAddress(true)
        .scalarBlockLayout(true)
        .shaderFloat16(info.features().contains(Feature.FLOAT16))
        .shaderInt8(info.features().contains(Feature.INT8))
        .vulkanMemoryModel(matrices)
        .vulkanMemoryModelDeviceScope(matrices);
  }

  private @Nullable PointerBuffer extensionNames(MemoryStack stack) {
    var names = new ArrayList<String>();
    if (info.features().contains(Feature.COOPERATIVE_MATRIX)) {
      names.add(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
    }
    if (info.features().contains(Feature.MEMORY_BUDGET)) {
      names.add(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    }
    if (info.features().contains(Feature.STATISTICS)) {
      names.add(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME);
    }
    if (names.isEmpty()) {
      return null;
    }
    PointerBuffer result = stack.mallocPointer(names.size());
    names.forEach(name -> result.put(stack.UTF8(name)));
    return result.flip();
  }
}
