package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.EXTMemoryBudget.VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
import static org.lwjgl.vulkan.KHRCooperativeMatrix.*;
import static org.lwjgl.vulkan.KHRPipelineExecutableProperties.VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
import static org.lwjgl.vulkan.VK13.*;

import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VkCooperativeMatrixPropertiesKHR;
import org.lwjgl.vulkan.VkExtensionProperties;
import org.lwjgl.vulkan.VkPhysicalDevice;
import org.lwjgl.vulkan.VkPhysicalDeviceFeatures2;
import org.lwjgl.vulkan.VkPhysicalDeviceLimits;
import org.lwjgl.vulkan.VkPhysicalDeviceMemoryProperties;
import org.lwjgl.vulkan.VkPhysicalDeviceProperties;
import org.lwjgl.vulkan.VkPhysicalDeviceProperties2;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan11Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan11Properties;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan12Properties;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Features;
import org.lwjgl.vulkan.VkPhysicalDeviceVulkan13Properties;

/** Reads {@link DeviceInfo} from a driver. */
final class DeviceQuery {
  /** Invocations of the largest workgroups that kernels have. */
  private static final int WORKGROUP = 256;

  private DeviceQuery() {}

  static DeviceInfo read(int index, VkPhysicalDevice device) {
    try (MemoryStack stack = stackPush()) {
      var p11 = VkPhysicalDeviceVulkan11Properties.calloc(stack).sType$Default();
      var p12 = VkPhysicalDeviceVulkan12Properties.calloc(stack).sType$Default();
      var p13 = VkPhysicalDeviceVulkan13Properties.calloc(stack).sType$Default();
      var properties =
          VkPhysicalDeviceProperties2.calloc(stack)
              .sType$Default()
              .pNext(p11)
              .pNext(p12)
              .pNext(p13);
      vkGetPhysicalDeviceProperties2(device, properties);
      int version = properties.properties().apiVersion();
      VkPhysicalDeviceLimits limits = properties.properties().limits();
      return new DeviceInfo(
          index,
          properties.properties().deviceNameString(),
          kind(properties.properties().deviceType()),
          (p12.driverNameString() + " " + p12.driverInfoString()).strip(),
          "%d.%d.%d"
              .formatted(
                  VK_API_VERSION_MAJOR(version),
                  VK_API_VERSION_MINOR(version),
                  VK_API_VERSION_PATCH(version)),
          p11.subgroupSize(),
          p13.minSubgroupSize(),
          p13.maxSubgroupSize(),
          limits.maxComputeSharedMemorySize(),
          limits.maxComputeWorkGroupInvocations(),
          Math.min(p11.maxMemoryAllocationSize(), p13.maxBufferSize()),
          localBytes(device, stack),
          limits.timestampPeriod(),
          features(device, p13.integerDotProduct4x8BitPackedSignedAccelerated(), stack),
          matrixShape(device, Math.clamp(32, p13.minSubgroupSize(), p13.maxSubgroupSize())),
          matrices(device),
          cacheId(properties.properties()),
          missing(device, version, limits, p11.subgroupSupportedOperations(), stack));
    }
  }

  private static Kind kind(int type) {
    return switch (type) {
      case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU -> Kind.DISCRETE;
      case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU -> Kind.INTEGRATED;
      case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU -> Kind.VIRTUAL;
      case VK_PHYSICAL_DEVICE_TYPE_CPU -> Kind.SOFTWARE;
      default -> Kind.OTHER;
    };
  }

  private static long localBytes(VkPhysicalDevice device, MemoryStack stack) {
    var memory = VkPhysicalDeviceMemoryProperties.malloc(stack);
    vkGetPhysicalDeviceMemoryProperties(device, memory);
    long largest = 0;
    for (int i = 0; i < memory.memoryHeapCount(); i++) {
      if ((memory.memoryHeaps(i).flags() & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0) {
        largest = Math.max(largest, memory.memoryHeaps(i).size());
      }
    }
    return largest;
  }

  private static Set<Feature> features(
      VkPhysicalDevice device, boolean acceleratedDot, MemoryStack stack) {
    var f12 = VkPhysicalDeviceVulkan12Features.calloc(stack).sType$Default();
    var f13 = VkPhysicalDeviceVulkan13Features.calloc(stack).sType$Default();
    vkGetPhysicalDeviceFeatures2(
        device, VkPhysicalDeviceFeatures2.calloc(stack).sType$Default().pNext(f12).pNext(f13));
    Set<String> extensions = extensions(device);
    var result = EnumSet.noneOf(Feature.class);
    add(result, Feature.FLOAT16, f12.shaderFloat16());
    add(result, Feature.INT8, f12.shaderInt8());
    add(result, Feature.INTEGER_DOT, f13.shaderIntegerDotProduct() && acceleratedDot);
    add(
        result,
        Feature.COOPERATIVE_MATRIX,
        extensions.contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) && f12.vulkanMemoryModel());
    add(result, Feature.MEMORY_BUDGET, extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME));
    add(
        result,
        Feature.STATISTICS,
        extensions.contains(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME));
    return result;
  }

  /** The squarest shape of those there are, 16 x 16 x 16 first. */
  private static @Nullable MatrixShape matrixShape(VkPhysicalDevice device, int lanes) {
    return ofMatrices(
            device,
            p ->
                p.AType() == VK_COMPONENT_TYPE_FLOAT16_KHR
                        && p.BType() == VK_COMPONENT_TYPE_FLOAT16_KHR
                        && p.CType() == VK_COMPONENT_TYPE_FLOAT32_KHR
                        && p.ResultType() == VK_COMPONENT_TYPE_FLOAT32_KHR
                        && p.scope() == VK_SCOPE_SUBGROUP_KHR
                    ? new MatrixShape(p.MSize(), p.NSize(), p.KSize(), lanes)
                    : null)
        .stream()
        .min(
            Comparator.comparingInt(
                s -> Math.abs(s.m() - 16) + Math.abs(s.n() - 16) + Math.abs(s.k() - 16)))
        .orElse(null);
  }

  private static List<String> matrices(VkPhysicalDevice device) {
    return ofMatrices(
            device,
            p ->
                p.scope() == VK_SCOPE_SUBGROUP_KHR
                    ? "%dx%dx%d %s * %s + %s"
                        .formatted(
                            p.MSize(),
                            p.NSize(),
                            p.KSize(),
                            component(p.AType()),
                            component(p.BType()),
                            component(p.CType()))
                    : null)
        .stream()
        .distinct()
        .toList();
  }

  private static String component(int type) {
    return switch (type) {
      case VK_COMPONENT_TYPE_FLOAT16_KHR -> "f16";
      case VK_COMPONENT_TYPE_FLOAT32_KHR -> "f32";
      case VK_COMPONENT_TYPE_FLOAT64_KHR -> "f64";
      case VK_COMPONENT_TYPE_SINT8_KHR -> "i8";
      case VK_COMPONENT_TYPE_SINT32_KHR -> "i32";
      case VK_COMPONENT_TYPE_UINT8_KHR -> "u8";
      case VK_COMPONENT_TYPE_UINT32_KHR -> "u32";
      default -> "type" + type;
    };
  }

  /** What {@code take} makes of each kind of matrix; null leaves one out. */
  private static <T> List<T> ofMatrices(
      VkPhysicalDevice device, Function<VkCooperativeMatrixPropertiesKHR, @Nullable T> take) {
    var result = new ArrayList<T>();
    if (!extensions(device).contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
      return result;
    }
    try (MemoryStack stack = stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      VulkanException.check(
          vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, count, null),
          "listing matrices");
      try (var all = VkCooperativeMatrixPropertiesKHR.calloc(count.get(0))) {
        all.forEach(p -> p.sType$Default());
        VulkanException.check(
            vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, count, all),
            "listing matrices");
        for (VkCooperativeMatrixPropertiesKHR p : all) {
          T taken = take.apply(p);
          if (taken != null) {
            result.add(taken);
          }
        }
      }
    }
    return result;
  }

  private static String cacheId(VkPhysicalDeviceProperties p) {
    var id = new StringBuilder();
    for (int i = 0; i < VK_UUID_SIZE; i++) {
      id.append("%02x".formatted(p.pipelineCacheUUID(i)));
    }
    return id.append("-%08x-%08x-%08x".formatted(p.vendorID(), p.deviceID(), p.driverVersion()))
        .toString();
  }

  private static void add(Set<Feature> to, Feature feature, boolean present) {
    if (present) {
      to.add(feature);
    }
  }

  private static List<String> missing(
      VkPhysicalDevice device,
      int version,
      VkPhysicalDeviceLimits limits,
      int subgroupOperations,
      MemoryStack stack) {
    var result = new ArrayList<String>();
    if (VK_API_VERSION_MAJOR(version) == 1 && VK_API_VERSION_MINOR(version) < 3) {
      result.add("Vulkan 1.3");
      return result;
    }
    var f11 = VkPhysicalDeviceVulkan11Features.calloc(stack).sType$Default();
    var f12 = VkPhysicalDeviceVulkan12Features.calloc(stack).sType$Default();
    var f13 = VkPhysicalDeviceVulkan13Features.calloc(stack).sType$Default();
    vkGetPhysicalDeviceFeatures2(
        device,
        VkPhysicalDeviceFeatures2.calloc(stack).sType$Default().pNext(f11).pNext(f12).pNext(f13));
    require(result, "storageBuffer16BitAccess", f11.storageBuffer16BitAccess());
    require(result, "storageBuffer8BitAccess", f12.storageBuffer8BitAccess());
    require(result, "bufferDeviceAddress", f12.bufferDeviceAddress());
    require(result, "scalarBlockLayout", f12.scalarBlockLayout());
    require(result, "synchronization2", f13.synchronization2());
    require(result, "workgroups of 256", limits.maxComputeWorkGroupInvocations() >= WORKGROUP);
    require(result, "128 bytes of push constants", limits.maxPushConstantsSize() >= 128);
    require(
        result,
        "arithmetic across a subgroup",
        (subgroupOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0);
    require(
        result,
        "shuffles within a subgroup",
        (subgroupOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0);
    require(result, "subgroupSizeControl", f13.subgroupSizeControl());
    require(result, "computeFullSubgroups", f13.computeFullSubgroups());
    return result;
  }

  private static void require(List<String> missing, String what, boolean present) {
    if (!present) {
      missing.add(what);
    }
  }

  static Set<String> extensions(VkPhysicalDevice device) {
    try (MemoryStack stack = stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      VulkanException.check(
          vkEnumerateDeviceExtensionProperties(device, (String) null, count, null),
          "listing extensions");
      try (var all = VkExtensionProperties.malloc(count.get(0))) {
        VulkanException.check(
            vkEnumerateDeviceExtensionProperties(device, (String) null, count, all),
            "listing extensions");
        var names = new HashSet<String>();
        all.forEach(e -> names.add(e.extensionNameString()));
        return names;
      }
    }
  }
}
