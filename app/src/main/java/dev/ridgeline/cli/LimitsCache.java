package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MachineLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * A backend's measured limits, kept in the cache folder for a day, so that {@code run} does not
 * measure the machine for a second after every answer. Two lines of text, because a JSON library
 * takes 0.1 s to start.
 */
final class LimitsCache {
  private static final long KEEP_MILLIS = 24L * 60 * 60 * 1000;

  private LimitsCache() {}

  static MachineLimits of(Backend backend) {
    String key = backend.name() + " " + backend.description() + " " + backend.threads();
    Path file = CacheFolder.path().resolve("limits-%08x.txt".formatted(key.hashCode()));
    try {
      if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() < KEEP_MILLIS) {
        List<String> lines = Files.readAllLines(file);
        return new MachineLimits(
            Double.parseDouble(lines.getFirst()), Double.parseDouble(lines.getLast()));
      }
    } catch (IOException | IllegalArgumentException | NoSuchElementException e) {
      // Not there, or not readable: it is measured and written again.
    }
    MachineLimits limits = backend.measureLimits();
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(
          file, "%s\n%s\n".formatted(limits.readBytesPerSecond(), limits.flopsPerSecond()));
    } catch (IOException e) {
      // Without a writable cache folder it is measured every time.
    }
    return limits;
  }
}
