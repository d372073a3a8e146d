package dev.ridgeline.cli;

import dev.ridgeline.lab.history.Entry;
import dev.ridgeline.lab.history.History;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where measurements are kept. */
final class HistoryArgument {
  @Option(
      names = "--history",
      paramLabel = "FILE",
      description =
          "The store of all runs. Default: $RIDGELINE_HISTORY, or ridgeline/history.db in the user's data folder.")
  private @Nullable Path file;

  @Option(names = "--no-history", description = "Keep nothing of this run in the store.")
  private boolean off;

  Path path() {
    return file == null ? History.defaultPath() : file;
  }

  /** Adds {@code entries}; a store that cannot be written is said and is no failure of the work. */
  void add(PrintWriter err, Supplier<List<Entry>> entries) {
    if (off) {
      return;
    }
    try (History history = History.open(path())) {
      history.add(entries.get());
    } catch (IllegalArgumentException e) {
      err.println("ridgeline: not kept: " + e.getMessage());
      err.flush();
    }
  }
}
