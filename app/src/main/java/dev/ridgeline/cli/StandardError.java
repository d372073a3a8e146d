package dev.ridgeline.cli;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ridgeline.os.CLibrary;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.FunctionDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The launcher filters the JVM's own start-up warning out of standard error and hands the real one
 * over as descriptor 3; progress bars and messages go there, so that they still reach a terminal as
 * they are.
 */
final class StandardError {
  private static final int DESCRIPTOR = 3;
  private static final Path REAL = Path.of("/dev/fd/" + DESCRIPTOR);

  private StandardError() {}

  /** {@code int dup2(int from, int to)}. */
  public interface Dup2 {
    int call(int from, int to);
  }

  /**
   * Makes {@code System.err} the launcher's descriptor 3; leaves it as it is without a launcher.
   */
  static void restore() {
    if (System.getenv("RIDGELINE_STDERR") == null || !Files.exists(REAL)) {
      return;
    }
    if (Files.isRegularFile(REAL) && CLibrary.isUsable()) {
      // Opened by name, a file has a place of its own to write at, and others who write to the same
      // one write over it. Not done always, as the first native call takes 60 ms.
      var descriptor = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
      CLibrary.function(Dup2.class, "dup2", descriptor).call(DESCRIPTOR, 2);
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
