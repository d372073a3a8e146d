package dev.ridgeline.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One line on standard error that is written over as work goes on; silent without a terminal, and
 * for the first second, so that quick work leaves no trace.
 */
final class Progress implements Consumer<String> {
  /** Set by the launcher where standard error is a terminal: its width. */
  private static final String COLUMNS = "RIDGELINE_STDERR_COLUMNS";

  private static final String ERASE_LINE = "\r\u001b[2K";
  private static final int BAR_WIDTH = 30;
  private static final long QUIET_NANOS = 1_000_000_000;

  /** A bar moves no more often than can be seen. */
  private static final long BAR_NANOS = 50_000_000;

  private final PrintWriter err;
  private final int columns;
  private final long shownFrom;
  private long lastBar;
  private boolean shown;

  Progress(PrintWriter err) {
    this(err, columns(System.getenv(COLUMNS)), QUIET_NANOS);
  }

  /**
   * For tests.
   *
   * @param columns the terminal's width, 0 where there is none
   */
  Progress(PrintWriter err, int columns, long quietNanos) {
    this.err = err;
    this.columns = columns;
    shownFrom = System.nanoTime() + quietNanos;
    lastBar = shownFrom - BAR_NANOS;
  }

  /** The width that the launcher found; without a launcher 80, if there is a terminal at all. */
  @SuppressWarnings("SystemConsoleNull") // it is null without a terminal, on JDK 25 too
  private static int columns(@Nullable String found) {
    if (found != null && found.matches("\\d{1,4}")) {
      return Integer.parseInt(found);
    }
    Console console = System.console();
    return console != null && console.isTerminal() ? 80 : 0;
  }

  @Override
  public void accept(String message) {
    show(message + " ...");
  }

  /** A bar: {@code done} of {@code total} bytes. */
  void bytes(String what, long done, long total) {
    // Not formatted in vain: lines for 1,600 pieces of a model cost a tenth of its quantization.
    if (total > 0 && isShown() && System.nanoTime() - lastBar >= BAR_NANOS) {
      lastBar = System.nanoTime();
      int filled = (int) ((double) BAR_WIDTH * done / total);
      show(
          "%s [%s%s] %s of %s"
              .formatted(
                  what,
                  "=".repeat(filled),
                  " ".repeat(BAR_WIDTH - filled),
                  Text.bytes(done),
                  Text.bytes(total)));
    }
  }

  private boolean isShown() {
    return columns > 0 && System.nanoTime() - shownFrom >= 0;
  }

  /** A line as wide as the terminal would wrap, and then not be erased. */
  private void show(String line) {
    if (isShown()) {
      err.print(ERASE_LINE + line.substring(0, Math.min(line.length(), columns - 1)));
      err.flush();
      shown = true;
    }
  }

  /** Takes the line away. */
  void clear() {
    if (shown) {
      err.print(ERASE_LINE);
      err.flush();
      shown = false;
    }
  }
}
