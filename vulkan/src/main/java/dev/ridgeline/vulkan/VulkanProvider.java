package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.backend.DeviceReport;
import dev.ridgeline.backend.DeviceReport.Heap;
import dev.ridgeline.backend.DeviceReport.KernelChoice;
import dev.ridgeline.backend.DeviceReport.Rates;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.VulkanException;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds {@link VulkanBackend}; preferred to the processor where there is a real device. */
public final class VulkanProvider implements BackendProvider {
  private static final String SOFTWARE_PROPERTY = "ridgeline.vulkan.software";

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
      return found().stream().anyMatch(d -> usable(d) && real(d)) ? 100 : -1;
    } catch (VulkanException e) {
      return -1;
    }
  }

  @Override
  public Optional<String> unavailable() {
    try {
      List<DeviceInfo> devices = found();
      return devices.stream().anyMatch(VulkanProvider::usable)
          ? Optional.empty()
          : Optional.of("no usable Vulkan device; found " + devices);
    } catch (VulkanException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Real ones, those with most memory of their own first; software ones only where there is none.
   */
  @Override
  public List<Integer> devices() {
    try {
      List<DeviceInfo> usable = found().stream().filter(VulkanProvider::usable).toList();
      List<DeviceInfo> real = usable.stream().filter(VulkanProvider::real).toList();
      return (real.isEmpty() ? usable : real)
          .stream()
              .sorted(
                  Comparator.comparing((DeviceInfo d) -> d.kind() != Kind.DISCRETE)
                      .thenComparing(DeviceInfo::localBytes, Comparator.reverseOrder()))
              .map(DeviceInfo::index)
              .toList();
    } catch (VulkanException e) {
      return List.of();
    }
  }

  @Override
  public List<DeviceReport> inspect() {
    try (VulkanInstance instance = VulkanInstance.open(false)) {
      return instance.devices().stream().map(info -> inspect(instance, info)).toList();
    } catch (VulkanException e) {
      return List.of();
    }
  }

  private static DeviceReport inspect(VulkanInstance instance, DeviceInfo info) {
    if (!usable(info)) {
      return report(info, List.of(), null, List.of());
    }
    try (GpuDevice device = instance.device(info.index())) {
      var heaps =
          device.heaps().stream()
              .map(h -> new Heap(h.deviceLocal(), h.bytes(), h.budgetBytes(), h.usedBytes()))
              .toList();
      var pipelines = new Pipelines(device);
      Rates rates = DeviceProbe.rates(device, pipelines);
      return report(info, heaps, rates, KernelChoices.of(info, pipelines.matrixLayout()));
    }
  }

  private static DeviceReport report(
      DeviceInfo d, List<Heap> heaps, @Nullable Rates rates, List<KernelChoice> kernels) {
    return new DeviceReport(
        d.index(),
        d.name(),
        d.kind().name().toLowerCase(Locale.ROOT),
        d.driver(),
        d.apiVersion(),
        List.of(d.minSubgroupSize(), d.usedSubgroupSize(), d.maxSubgroupSize()),
        d.features().stream().map(f -> f.name().toLowerCase(Locale.ROOT)).sorted().toList(),
        d.missing(),
        heaps,
        d.matrices(),
        rates,
        kernels);
  }

  @Override
  public Backend open(BackendOptions options) {
    int index = options.devices().isEmpty() ? devices().getFirst() : options.devices().getFirst();
    if (index >= found().size()) {
      throw new IllegalArgumentException(
          "device: expected 0 to %d, found %d; this machine has %s"
              .formatted(found().size() - 1, index, found()));
    }
    VulkanInstance instance = VulkanInstance.open(false);
    boolean done = false;
    try {
      var backend = new VulkanBackend(instance, index);
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
    return Boolean.getBoolean(SOFTWARE_PROPERTY)
        || !System.getProperty("os.name", "").equals("Linux")
        || Stream.of("dri", "nvidiactl", "nvidia0", "kfd", "dxg", "kgsl-3d0", "mali0")
            .anyMatch(device -> Files.exists(Path.of("/dev", device)));
  }

  /** A software device is slower than the processor's own backend; tests take it for a real one. */
  private static boolean real(DeviceInfo device) {
    return device.kind() != Kind.SOFTWARE || Boolean.getBoolean(SOFTWARE_PROPERTY);
  }

  private static boolean usable(DeviceInfo device) {
    return device.missing().isEmpty();
  }

  /** Asked once a process: a driver takes long to start, and devices do not come and go. */
  private static synchronized List<DeviceInfo> found() {
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
