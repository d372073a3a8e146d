package dev.ridgeline.vulkan.device;

import static org.lwjgl.system.MemoryStack.stackPush;
import static org.lwjgl.vulkan.EXTDebugUtils.*;
import static org.lwjgl.vulkan.EXTValidationFeatures.*;
import static org.lwjgl.vulkan.VK13.*;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.vulkan.VK;
import org.lwjgl.vulkan.VkApplicationInfo;
import org.lwjgl.vulkan.VkDebugUtilsMessengerCallbackDataEXT;
import org.lwjgl.vulkan.VkDebugUtilsMessengerCallbackEXT;
import org.lwjgl.vulkan.VkDebugUtilsMessengerCreateInfoEXT;
import org.lwjgl.vulkan.VkInstance;
import org.lwjgl.vulkan.VkInstanceCreateInfo;
import org.lwjgl.vulkan.VkLayerProperties;
import org.lwjgl.vulkan.VkPhysicalDevice;
import org.lwjgl.vulkan.VkValidationFeaturesEXT;

/**
 * The process's connection to its Vulkan drivers. Close it, after its devices, before the process
 * ends: some drivers crash in their exit handlers otherwise.
 */
public final class VulkanInstance implements AutoCloseable {
  static {
    // Else a missing loader is an error in a static initializer, which no caller can handle.
    Configuration.VULKAN_EXPLICIT_INIT.set(true);
  }

  private static final String VALIDATION = "VK_LAYER_KHRONOS_validation";

  private static boolean loaded;

  private final VkInstance instance;
  private final List<VkPhysicalDevice> physical;
  private final List<DeviceInfo> devices;
  private final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  private @Nullable VkDebugUtilsMessengerCallbackEXT callback;
  private long messenger;

  private VulkanInstance(VkInstance instance, boolean validate) {
    this.instance = instance;
    if (validate) {
      listen();
    }
    physical = physicalDevices(instance);
    devices = new ArrayList<>();
    for (int i = 0; i < physical.size(); i++) {
      devices.add(DeviceQuery.read(i, physical.get(i)));
    }
  }

  /**
   * Loads the Vulkan loader and its drivers.
   *
   * @param validate adds the validation layers with synchronization checks; what they say is in
   *     {@link #messages()}
   * @throws VulkanException if there is no loader, no driver, or no validation layer to add
   */
  public static VulkanInstance open(boolean validate) {
    load();
    if (validate && !hasValidation()) {
      throw new VulkanException(
          "vulkan: no %s; install the validation layers (Debian: vulkan-validationlayers)"
              .formatted(VALIDATION));
    }
    try (MemoryStack stack = stackPush()) {
      var app =
          VkApplicationInfo.calloc(stack)
              .sType$Default()
              .pApplicationName(stack.UTF8("Ridgeline"))
              .apiVersion(VK_API_VERSION_1_3);
      var info = VkInstanceCreateInfo.calloc(stack).sType$Default().pApplicationInfo(app);
      if (validate) {
        IntBuffer enable = stack.ints(VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT);
        info.ppEnabledLayerNames(stack.pointers(stack.UTF8(VALIDATION)))
            .ppEnabledExtensionNames(stack.pointers(stack.UTF8(VK_EXT_DEBUG_UTILS_EXTENSION_NAME)))
            .pNext(
                VkValidationFeaturesEXT.calloc(stack)
                    .sType$Default()
                    .pEnabledValidationFeatures(enable));
      }
      PointerBuffer handle = stack.mallocPointer(1);
      VulkanException.check(vkCreateInstance(info, null, handle), "creating the instance");
      return new VulkanInstance(new VkInstance(handle.get(0), info), validate);
    }
  }

  /** The physical devices, in the loader's order. */
  public List<DeviceInfo> devices() {
    return Collections.unmodifiableList(devices);
  }

  /**
   * Opens device {@code index} of {@link #devices()}.
   *
   * @throws VulkanException if there is none, or if it lacks what every kernel needs
   */
  public GpuDevice device(int index) {
    if (index < 0 || index >= devices.size()) {
      throw new VulkanException(
          "vulkan: device %d; this machine has %d: %s".formatted(index, devices.size(), devices));
    }
    return device(devices.get(index));
  }

  /**
   * Opens device {@code info.index()} as what {@code info} says it is, which may be less than it
   * is: to see what a smaller one would do.
   *
   * @throws VulkanException if it lacks what every kernel needs
   */
  public GpuDevice device(DeviceInfo info) {
    if (!info.missing().isEmpty()) {
      throw new VulkanException("vulkan: %s lacks %s".formatted(info, info.missing()));
    }
    return new GpuDevice(physical.get(info.index()), info);
  }

  /** What the validation layers said so far; empty without them. */
  public List<String> messages() {
    synchronized (messages) {
      return List.copyOf(messages);
    }
  }

  /** Whether {@link #open} can validate here. */
  public static boolean hasValidation() {
    load();
    try (MemoryStack stack = stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      VulkanException.check(vkEnumerateInstanceLayerProperties(count, null), "listing layers");
      var layers = VkLayerProperties.malloc(count.get(0), stack);
      VulkanException.check(vkEnumerateInstanceLayerProperties(count, layers), "listing layers");
      return layers.stream().anyMatch(l -> l.layerNameString().equals(VALIDATION));
    }
  }

  @Override
  public void close() {
    if (callback != null) {
      vkDestroyDebugUtilsMessengerEXT(instance, messenger, null);
      callback.free();
    }
    vkDestroyInstance(instance, null);
  }

  private static synchronized void load() {
    if (!loaded) {
      try {
        VK.create();
        loaded = true;
      } catch (UnsatisfiedLinkError e) {
        throw new VulkanException(
            "vulkan: no Vulkan loader on this machine (Debian: libvulkan1): " + e.getMessage(), e);
      }
    }
  }

  private void listen() {
    callback =
        VkDebugUtilsMessengerCallbackEXT.create(
            (severity, types, data, user) -> {
              messages.add(VkDebugUtilsMessengerCallbackDataEXT.create(data).pMessageString());
              return VK_FALSE;
            });
    try (MemoryStack stack = stackPush()) {
      var info =
          VkDebugUtilsMessengerCreateInfoEXT.calloc(stack)
              .sType$Default()
              .messageSeverity(
                  VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                      | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT)
              .messageType(VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT)
              .pfnUserCallback(callback);
      var handle = stack.mallocLong(1);
      VulkanException.check(
          vkCreateDebugUtilsMessengerEXT(instance, info, null, handle), "listening to validation");
      messenger = handle.get(0);
    }
  }

  private static List<VkPhysicalDevice> physicalDevices(VkInstance instance) {
    try (MemoryStack stack = stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      VulkanException.check(vkEnumeratePhysicalDevices(instance, count, null), "listing devices");
      PointerBuffer handles = stack.mallocPointer(Math.max(1, count.get(0)));
      VulkanException.check(
          vkEnumeratePhysicalDevices(instance, count, handles), "listing devices");
      var result = new ArrayList<VkPhysicalDevice>();
      for (int i = 0; i < count.get(0); i++) {
        result.add(new VkPhysicalDevice(handles.get(i), instance));
      }
      return result;
    }
  }
}
