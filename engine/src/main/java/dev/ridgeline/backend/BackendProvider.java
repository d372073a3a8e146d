package dev.ridgeline.backend;

import java.util.List;
import java.util.Optional;

/**
 * How a backend is found: implementations are listed in {@code
 * META-INF/services/dev.ridgeline.backend.BackendProvider} and loaded by {@link
 * java.util.ServiceLoader}, so that a backend can live in a module that nobody imports.
 */
public interface BackendProvider {
  /** {@code "reference"}, {@code "cpu"}, {@code "vulkan"}: what {@code --backend} takes. */
  String name();

  /** {@code --backend auto} takes the available provider with the highest preference. */
  int preference();

  /** Why this backend cannot run on this machine, in one line; empty when it can. Cheap. */
  Optional<String> unavailable();

  /**
   * Devices with memory of their own that can take some of a model's layers, best first; empty for
   * a backend that computes out of the process's memory. Cheap.
   */
  default List<Integer> devices() {
    return List.of();
  }

  /** All devices that it finds, measured, in some seconds; empty where {@link #devices} is. */
  default List<DeviceReport> inspect() {
    return List.of();
  }

  /** Opens it, on the first of the devices that {@code options} name. */
  Backend open(BackendOptions options);
}
