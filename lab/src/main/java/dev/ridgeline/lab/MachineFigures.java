package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MachineLimits;
import org.jspecify.annotations.Nullable;

/**
 * What a backend was measured to do at most, in the units that are printed.
 *
 * @param backend its name
 * @param description the device, its width or driver
 * @param threads compute threads
 * @param readGigabytesPerSecond reading memory in sequence; 1 GB is 10^9 bytes
 * @param gigaflopsPerSecond multiplications and additions of floats, in 10^9 a second
 * @param quantizedGigaflopsPerSecond the same with quantized weights; null in records of earlier
 *     versions, which had one rate
 */
public record MachineFigures(
    String backend,
    String description,
    int threads,
    double readGigabytesPerSecond,
    double gigaflopsPerSecond,
    @Nullable Double quantizedGigaflopsPerSecond) {
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
    return of(backend, backend.measureLimits());
  }

  /** Measures once more and keeps what was better: whatever disturbs a measurement slows it. */
  public MachineFigures again(Backend measured) {
    return of(measured, limits().max(measured.measureLimits()));
  }

  /** The {@code limits} that were measured of {@code backend}. */
  public static MachineFigures of(Backend backend, MachineLimits limits) {
    return new MachineFigures(
        backend.name(),
        backend.description(),
        backend.threads(),
        limits.readBytesPerSecond() / GIGA,
        limits.flopsPerSecond() / GIGA,
        limits.quantizedFlopsPerSecond() / GIGA);
  }

  /** The same in bytes and operations. */
  public MachineLimits limits() {
    double quantized =
        quantizedGigaflopsPerSecond == null ? gigaflopsPerSecond : quantizedGigaflopsPerSecond;
    return new MachineLimits(
        readGigabytesPerSecond * GIGA, gigaflopsPerSecond * GIGA, quantized * GIGA);
  }
}
