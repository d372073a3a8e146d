package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MachineLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A backend's measured limits, kept in the cache folder for a day, so that {@code run} does not
 * measure the machine for a second after every answer. Lines of text, because a JSON library takes
 * 0.1 s to start.
 */
final class LimitsCache {
  private static final long KEEP_MILLIS = 24L * 60 * 60 * 1000;

  private LimitsCache() {}

  static MachineLimits of(Backend backend) {
    Path file = file(backend);
    try {
      if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() < KEEP_MILLIS) {
        List<String> lines = Files.readAllLines(file);
        return new MachineLimits(
            Double.parseDouble(lines.get(0)),
            Double.parseDouble(lines.get(1)),
            Double.parseDouble(lines.get(2)));
      }
    } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
      // Not there, or not readable: it is measured and written again.
    }
    MachineLimits limits = backend.measureLimits();
    write(file, limits);
    return limits;
  }

  /** Measures once more, for {@code before} was too low, and keeps what is better. */
  static MachineLimits again(Backend backend, MachineLimits before) {
    MachineLimits limits = before.max(backend.measureLimits());
    write(file(backend), limits);
    return limits;
  }

  private static Path file(Backend backend) {
    String key = backend.name() + " " + backend.description() + " " + backend.threads();
    return CacheFolder.path().resolve("limits-%08x.txt".formatted(key.hashCode()));
  }

  private static void write(Path file, MachineLimits limits) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(
          file,
          "%s\n%s\n%s\n"
              .formatted(
                  limits.readBytesPerSecond(),
                  limits.flopsPerSecond(),
                  limits.quantizedFlopsPerSecond()));
    } catch (IOException e) {
      // Without a writable cache folder it is measured every time.
    }
  }
}
