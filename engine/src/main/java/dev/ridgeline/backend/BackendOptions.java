package dev.ridgeline.backend;

/**
 * What a user may choose of a backend.
 *
 * @param threads compute threads; 0 = one for each physical core the process may use
 * @param device index among the backend's devices
 */
public record BackendOptions(int threads, int device) {
  /** All cores, the first device. */
  public static final BackendOptions DEFAULTS = new BackendOptions(0, 0);

  /** Rejects negative values. */
  public BackendOptions {
    if (threads < 0) {
      throw new IllegalArgumentException("threads: expected 0 or more, found " + threads);
    }
    if (device < 0) {
      throw new IllegalArgumentException("device: expected 0 or more, found " + device);
    }
  }

  /** For a backend with nothing to choose among: refuses every device but the first. */
  public BackendOptions withoutDevices(String backend) {
    if (device != 0) {
      throw new IllegalArgumentException(
          "device: expected 0, as the %s backend has one only, found %d"
              .formatted(backend, device));
    }
    return this;
  }
}
