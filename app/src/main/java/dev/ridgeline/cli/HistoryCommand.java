package dev.ridgeline.cli;

import dev.ridgeline.lab.history.Entry;
import dev.ridgeline.lab.history.History;
import dev.ridgeline.lab.history.TrendPlot;
import dev.ridgeline.lab.stats.Estimate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline history}. */
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    subcommands = {HistoryCommand.Plot.class, HistoryCommand.Compare.class},
    description =
        "Lists the measurements that bench and study have kept: machine, model, commit, flags, speed.")
final class HistoryCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm");

  /** Which runs. */
  static final class Filter {
    @Mixin private HistoryPath history = new HistoryPath();

    @Option(
        names = {"-m", "--model"},
        paramLabel = "TEXT",
        description =
            "Only models with this in their name or variant, or at the start of their hash.")
    private @Nullable String model;

    @Option(names = "--last", paramLabel = "N", description = "The newest N. Default: 50.")
    private int last = 50;

    List<Entry> entries() {
      if (last < 1) {
        throw new Errors.InputException("--last: expected 1 or more, found " + last);
      }
      try (History h = History.open(history.path())) {
        return h.list(model, last);
      }
    }
  }

  /** Where the store is. */
  static final class HistoryPath {
    @Option(
        names = "--history",
        paramLabel = "FILE",
        description =
            "The store of all runs. Default: $RIDGELINE_HISTORY, or ridgeline/history.db in the user's data folder.")
    private @Nullable Path file;

    Path path() {
      return file == null ? History.defaultPath() : file;
    }
  }

  @Mixin private Filter filter = new Filter();

  @Option(
      names = "--format",
      paramLabel = "F",
      description = "text, json, jsonl, csv or md. Default: text.")
  private TableFormat format = TableFormat.TEXT;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<Entry> entries = filter.entries();
    PrintWriter out = spec.commandLine().getOut();
    switch (format) {
      case JSON -> Json.print(out, entries.stream().map(Row::of).toList());
      case JSONL -> entries.forEach(e -> Json.printLine(out, Row.of(e)));
      case TEXT, CSV, MD, SQL -> {
        var table =
            new Table(
                "id", "time", "kind", "model", "variant", "backend", "threads", "test", "tok/s",
                "low", "high", "commit", "cpu");
        for (Entry e : entries) {
          Estimate speed = e.tokensPerSecond();
          table.add(
              e.id(),
              TIME.format(e.time().atZone(ZoneId.systemDefault())),
              e.kind(),
              e.model(),
              e.variant(),
              e.setup().backend(),
              e.setup().threads(),
              e.test(),
              Text.significant(speed.median()),
              Text.significant(speed.low()),
              Text.significant(speed.high()),
              e.machine().commit(),
              e.machine().cpu());
        }
        if (entries.isEmpty()) {
          table.note(
              "nothing is kept yet; 'ridgeline bench' and 'ridgeline study' keep what they measure");
        }
        table.print(out, format);
      }
    }
    out.flush();
    return 0;
  }

  /** An entry as the JSON contract names it. */
  record Row(
      long id,
      String time,
      String kind,
      String os,
      String cpu,
      String ridgeline,
      String commit,
      String model,
      String modelHash,
      String variant,
      String backend,
      int threads,
      int batch,
      String kvType,
      int promptTokens,
      int generateTokens,
      int depth,
      Estimate tokensPerSecond,
      List<Double> samples,
      double bytesPerToken,
      double shareOfLimit) {
    static Row of(Entry e) {
      return new Row(
          e.id(),
          e.time().toString(),
          e.kind(),
          e.machine().os(),
          e.machine().cpu(),
          e.machine().ridgeline(),
          e.machine().commit(),
          e.model(),
          e.modelHash(),
          e.variant(),
          e.setup().backend(),
          e.setup().threads(),
          e.setup().batch(),
          e.setup().kvType(),
          e.promptTokens(),
          e.generateTokens(),
          e.depth(),
          e.tokensPerSecond(),
          e.speeds(),
          e.bytesPerToken(),
          e.shareOfLimit());
    }
  }

  /** {@code ridgeline history plot}. */
  @Command(
      name = "plot",
      mixinStandardHelpOptions = true,
      description = "Draws the speed of each model and test over time.")
  static final class Plot implements Callable<Integer> {
    @Parameters(paramLabel = "OUT", description = "The picture: a .png or .svg file.")
    private Path out = Path.of("");

    @Mixin private Filter filter = new Filter();

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      List<Entry> entries = filter.entries();
      if (entries.isEmpty()) {
        throw new Errors.InputException("no run to plot; 'ridgeline history' lists what is kept");
      }
      TrendPlot.write(entries, out);
      spec.commandLine().getOut().println("%s: %d runs".formatted(out, entries.size()));
      return 0;
    }
  }

  /** {@code ridgeline history compare}. */
  @Command(
      name = "compare",
      mixinStandardHelpOptions = true,
      description = "Compares two runs by the ids that 'ridgeline history' shows.")
  static final class Compare implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BEFORE", description = "The id of a run.")
    private long before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "The id of another.")
    private long after;

    @Mixin private HistoryPath history = new HistoryPath();

    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
      Entry a;
      Entry b;
      try (History h = History.open(history.path())) {
        a = h.get(before);
        b = h.get(after);
      }
      PrintWriter out = spec.commandLine().getOut();
      var table = new Table("", "run " + a.id(), "run " + b.id());
      difference(table, "time", a.time(), b.time());
      difference(table, "model", a.model() + " " + a.variant(), b.model() + " " + b.variant());
      difference(
          table,
          "hash",
          a.modelHash().substring(0, Math.min(12, a.modelHash().length())),
          b.modelHash().substring(0, Math.min(12, b.modelHash().length())));
      difference(table, "test", a.test(), b.test());
      difference(table, "flags", a.setup(), b.setup());
      difference(table, "cpu", a.machine().cpu(), b.machine().cpu());
      difference(table, "jvm", a.machine().jvm(), b.machine().jvm());
      difference(table, "commit", a.machine().commit(), b.machine().commit());
      difference(table, "tok/s", speed(a), speed(b));
      table.note(verdict(a, b));
      table.print(out, TableFormat.TEXT);
      out.flush();
      return 0;
    }

    private static void difference(Table table, String what, Object a, Object b) {
      table.add(what, a, a.equals(b) ? "the same" : b);
    }

    private static String speed(Entry e) {
      Estimate s = e.tokensPerSecond();
      return "%s (%s to %s)"
          .formatted(
              Text.significant(s.median()), Text.significant(s.low()), Text.significant(s.high()));
    }

    private static String verdict(Entry a, Entry b) {
      double ratio = b.tokensPerSecond().median() / a.tokensPerSecond().median();
      String is =
          b.tokensPerSecond().isLike(a.tokensPerSecond())
              ? "not told apart from"
              : ratio > 1 ? "faster than" : "slower than";
      return Text.number("run %d is %s run %d: ratio %.3f", b.id(), is, a.id(), ratio)
          + (a.test().equals(b.test()) ? "" : "; they are different tests");
    }
  }
}
