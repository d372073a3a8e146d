package dev.ridgeline.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The launcher filters the JVM's own start-up warning out of standard error and hands the real one
 * over as descriptor 3; progress bars and messages go there, so that they still reach a terminal as
 * they are.
 */
final class StandardError {
  private static final Path REAL = Path.of("/dev/fd/3");

  private StandardError() {}

  /**
   * Makes {@code System.err} the launcher's descriptor 3; leaves it as it is without a launcher.
   */
  static void restore() {
    if (System.getenv("RIDGELINE_STDERR") == null || !Files.exists(REAL)) {
      return;
    }
    try {
      System.setErr(new PrintStream(new FileOutputStream(REAL.toFile(), true), true));
    } catch (IOException e) {
      // A socket cannot be opened by name: the filtered descriptor 2 serves as well.
      System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true));
    }
  }
}
