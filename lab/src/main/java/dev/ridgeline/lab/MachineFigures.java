package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MachineLimits;

/**
 * What a backend was measured to do at most, in the units that are printed.
 *
 * @param backend its name
 * @param description the device, its width or driver
 * @param threads compute threads
 * @param readGigabytesPerSecond reading memory in sequence; 1 GB is 10^9 bytes
 * @param gigaflopsPerSecond multiplications and additions, in 10^9 a second
 */
public record MachineFigures(
    String backend,
    String description,
    int threads,
    double readGigabytesPerSecond,
    double gigaflopsPerSecond) {
  private static final double GIGA = 1e9;

  /** Rejects limits of a machine that does nothing. */
  public MachineFigures {
    if (!(readGigabytesPerSecond > 0) || !(gigaflopsPerSecond > 0)) {
      throw new IllegalArgumentException(
          "machine '%s': expected positive limits, found %s GB/s and %s GFLOP/s"
              .formatted(backend, readGigabytesPerSecond, gigaflopsPerSecond));
    }
  }

  /** Measures {@code backend}, in about a second; nothing else may run. */
  public static MachineFigures measure(Backend backend) {
    MachineLimits limits = backend.measureLimits();
    return new MachineFigures(
        backend.name(),
        backend.description(),
        backend.threads(),
        limits.readBytesPerSecond() / GIGA,
        limits.flopsPerSecond() / GIGA);
  }

  /** The same in bytes and operations. */
  public MachineLimits limits() {
    return new MachineLimits(readGigabytesPerSecond * GIGA, gigaflopsPerSecond * GIGA);
  }
}
