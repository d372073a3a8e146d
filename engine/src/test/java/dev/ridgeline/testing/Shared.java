package dev.ridgeline.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Finds the folder {@code shared} that may stand beside the repository, with data not kept in it.
 */
public final class Shared {
  private Shared() {}

  /**
   * The file or folder {@code relative} of it; the test is reported as skipped where it is missing.
   */
  public static Path path(String relative) {
    for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
      Path candidate = dir.resolve("shared").resolve(relative);
      if (Files.exists(candidate)) {
        return candidate;
      }
    }
    Assumptions.abort("needs shared/" + relative + " beside the repository, which is not there");
    throw new AssertionError("unreachable");
  }
}
