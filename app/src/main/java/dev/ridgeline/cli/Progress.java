package dev.ridgeline.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.function.Consumer;

/** One line on standard error that is written over as work goes on; silent without a terminal. */
final class Progress implements Consumer<String> {
  private static final String ERASE_LINE = "\r\u001b[2K";
  private static final int BAR_WIDTH = 30;

  private final PrintWriter err;
  private final boolean terminal = isTerminal();

  Progress(PrintWriter err) {
    this.err = err;
  }

  @SuppressWarnings("SystemConsoleNull") // it is null without a terminal, on JDK 25 too
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  @Override
  public void accept(String message) {
    if (terminal) {
      err.print(ERASE_LINE + message + " ...");
      err.flush();
    }
  }

  /** A bar: {@code done} of {@code total} bytes. */
  void bytes(String what, long done, long total) {
    if (terminal && total > 0) {
      int filled = (int) (BAR_WIDTH * done / total);
      err.print(
          "%s%s [%s%s] %s of %s"
              .formatted(
                  ERASE_LINE,
                  what,
                  "=".repeat(filled),
                  " ".repeat(BAR_WIDTH - filled),
                  Text.bytes(done),
                  Text.bytes(total)));
      err.flush();
    }
  }

  /** Takes the line away. */
  void clear() {
    if (terminal) {
      err.print(ERASE_LINE);
      err.flush();
    }
  }
}
