package dev.ridgeline.lab.sensor;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An NVIDIA GPU, through the driver's management library NVML.
 *
 * <p>Source: NVIDIA's NVML API reference ({@code nvml.h}).
 */
final class NvidiaSensor implements Sensor {
  private static final int SUCCESS = 0;
  private static final int TEMPERATURE_GPU = 0;
  private static final int CLOCK_SM = 1;
  private static final int NAME_BYTES = 96;

  /** Bits of nvmlDeviceGetCurrentClocksThrottleReasons that mean "slower than it could be". */
  private static final Map<Long, String> REASONS = new LinkedHashMap<>();

  static {
    REASONS.put(0x04L, "power cap");
    REASONS.put(0x08L, "hardware slowdown");
    REASONS.put(0x20L, "temperature (software)");
    REASONS.put(0x40L, "temperature (hardware)");
    REASONS.put(0x80L, "power brake (hardware)");
  }

  private final Library nvml;
  private final MemorySegment device;
  private final String name;

  private NvidiaSensor(Library nvml, MemorySegment device, String name) {
    this.nvml = nvml;
    this.device = device;
    this.name = name;
  }

  /** The GPUs that the driver knows; none without the driver. */
  static List<Sensor> find() {
    Library nvml;
    try {
      nvml = new Library();
    } catch (IllegalArgumentException e) {
      return List.of();
    }
    List<Sensor> found = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      if (nvml.call("nvmlInit_v2") == SUCCESS
          && nvml.call("nvmlDeviceGetCount_v2", count) == SUCCESS) {
        for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
          MemorySegment handle = arena.allocate(ADDRESS);
          MemorySegment text = arena.allocate(NAME_BYTES);
          if (nvml.call("nvmlDeviceGetHandleByIndex_v2", i, handle) == SUCCESS) {
            MemorySegment device = handle.get(ADDRESS, 0);
            nvml.call("nvmlDeviceGetName", device, text, NAME_BYTES);
            found.add(new NvidiaSensor(nvml, device, text.getString(0)));
          }
        }
      }
    }
    return found;
  }

  @Override
  public Reading read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      Double celsius = number("nvmlDeviceGetTemperature", TEMPERATURE_GPU, out, 1);
      Double megahertz = number("nvmlDeviceGetClockInfo", CLOCK_SM, out, 1);
      Double watts =
          nvml.call("nvmlDeviceGetPowerUsage", device, out) == SUCCESS
              ? out.get(JAVA_INT, 0) / 1e3
              : null;
      List<String> throttling = new ArrayList<>();
      if (nvml.call("nvmlDeviceGetCurrentClocksThrottleReasons", device, out) == SUCCESS) {
        long bits = out.get(JAVA_LONG, 0);
        REASONS.forEach(
            (bit, reason) -> {
              if ((bits & bit) != 0) {
                throttling.add(reason);
              }
            });
      }
      return new Reading(name, celsius, megahertz, watts, throttling);
    }
  }

  private @Nullable Double number(String function, int which, MemorySegment out, double unit) {
    return nvml.call(function, device, which, out) == SUCCESS ? out.get(JAVA_INT, 0) / unit : null;
  }

  /** The functions by name; all return an nvmlReturn_t. */
  private static final class Library {
    private static final int NOT_THERE = -1;

    private final SymbolLookup symbols =
        SymbolLookup.libraryLookup("libnvidia-ml.so.1", Arena.global());
    private final Map<String, MethodHandle> handles = new LinkedHashMap<>();

    int call(String function, Object... arguments) {
      MethodHandle handle = handles.get(function);
      if (handle == null) {
        MemorySegment symbol = symbols.find(function).orElse(null);
        if (symbol == null) {
          return NOT_THERE;
        }
        MemoryLayout[] types = new MemoryLayout[arguments.length];
        java.util.Arrays.setAll(types, i -> arguments[i] instanceof Integer ? JAVA_INT : ADDRESS);
        handle =
            Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(JAVA_INT, types));
        handles.put(function, handle);
      }
      try {
        return (int) handle.invokeWithArguments(arguments);
      } catch (Throwable e) {
        throw new IllegalStateException("calling " + function, e);
      }
    }
  }
}
