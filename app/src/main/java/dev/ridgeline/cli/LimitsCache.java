package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MachineLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;

/**
 * A backend's measured limits, kept in the cache folder for a day, so that {@code run} does not
 * measure the machine for a second after every answer.
 */
final class LimitsCache {
  private static final long KEEP_MILLIS = 24L * 60 * 60 * 1000;

  private LimitsCache() {}

  static MachineLimits of(Backend backend) {
    String key = backend.name() + " " + backend.description() + " " + backend.threads();
    Path file = CacheFolder.path().resolve("limits-%08x.json".formatted(key.hashCode()));
    try {
      if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() < KEEP_MILLIS) {
        return Json.MAPPER.readValue(Files.readAllBytes(file), MachineLimits.class);
      }
    } catch (IOException | JacksonException e) {
      // Not there, or not readable: it is measured and written again.
    }
    MachineLimits limits = backend.measureLimits();
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, Json.MAPPER.writeValueAsBytes(limits));
    } catch (IOException e) {
      // Without a writable cache folder it is measured every time.
    }
    return limits;
  }
}
