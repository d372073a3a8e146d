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
    if (threads < 0 || device < 0) {
      throw new IllegalArgumentException(
          "threads and device: expected 0 or more, found %d and %d".formatted(threads, device));
    }
  }
}
