package dev.ridgeline.backend;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What a user may choose of a backend.
 *
 * @param threads compute threads; 0 = one for each physical core the process may use
 * @param devices among the backend's devices, in the order in which layers are spread over them;
 *     empty = the best one that has room, or all together
 * @param gpuLayers layers that devices run, the last ones of the model; {@link #AUTO_LAYERS} = as
 *     many as fit
 */
public record BackendOptions(int threads, List<Integer> devices, int gpuLayers) {
  /** As many layers as fit. */
  public static final int AUTO_LAYERS = -1;

  /** All cores, the best device, as many layers as fit. */
  public static final BackendOptions DEFAULTS = new BackendOptions(0, List.of(), AUTO_LAYERS);

  /** Rejects negative values. */
  public BackendOptions {
    devices = List.copyOf(devices);
    if (threads < 0) {
      throw new IllegalArgumentException("threads: expected 0 or more, found " + threads);
    }
    if (devices.stream().anyMatch(d -> d < 0)) {
      throw new IllegalArgumentException("device: expected 0 or more, found " + devices);
    }
    if (gpuLayers < AUTO_LAYERS) {
      throw new IllegalArgumentException(
          "GPU layers: expected 0 or more, or auto, found " + gpuLayers);
    }
  }

  /** One device, as many layers as fit. */
  public BackendOptions(int threads, int device) {
    this(threads, List.of(device), AUTO_LAYERS);
  }

  /** For a backend with nothing to choose among: refuses every device but the first. */
  public BackendOptions withoutDevices(String backend) {
    if (devices.stream().anyMatch(d -> d != 0)) {
      throw new IllegalArgumentException(
          "device: expected 0, as the %s backend has one only, found %s"
              .formatted(
                  backend, devices.stream().map(String::valueOf).collect(Collectors.joining(","))));
    }
    return this;
  }

  /** The same for the processor beside devices. */
  BackendOptions onHost() {
    return new BackendOptions(threads, List.of(), AUTO_LAYERS);
  }

  /** The same for one of the devices. */
  BackendOptions on(int device) {
    return new BackendOptions(threads, List.of(device), gpuLayers);
  }
}
