package dev.ridgeline.cli;

import java.nio.file.Path;

/** Where Ridgeline keeps what it can make again: {@code $XDG_CACHE_HOME/ridgeline}. */
final class CacheFolder {
  private CacheFolder() {}

  static Path path() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return base.resolve("ridgeline");
  }
}
