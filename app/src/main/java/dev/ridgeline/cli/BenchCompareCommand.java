package dev.ridgeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;

/** {@code ridgeline bench compare}. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = {
      "Compares two outputs of 'bench --format jsonl' row by row: a gate against regressions.",
      "Exit status 1 if a row of AFTER is slower than BEFORE's beyond chance, or missing."
    })
final class BenchCompareCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "BEFORE", description = "The rows to hold.")
  private Path before = Path.of("");

  @Parameters(index = "1", paramLabel = "AFTER", description = "The rows to judge.")
  private Path after = Path.of("");

  @Option(
      names = "--tolerance",
      paramLabel = "P",
      description = "A loss of up to this many percent passes. Default: 0.")
  private double tolerance;

  @Option(
      names = "--format",
      paramLabel = "F",
      description = "text, json, jsonl, csv or md. Default: text.")
  private TableFormat format = TableFormat.TEXT;

  @Spec private CommandSpec spec;

  enum Verdict {
    FASTER,
    SLOWER,
    SLOWER_WITHIN_TOLERANCE,
    NOT_TOLD_APART,
    MISSING,
    NEW
  }

  record Comparison(
      String row,
      @Nullable Double before,
      @Nullable Double after,
      @Nullable Double ratio,
      Verdict verdict) {}

  record Output(List<Comparison> rows, boolean passed) {}

  @Override
  public Integer call() throws IOException {
    if (!(tolerance >= 0 && tolerance < 100)) {
      throw new Errors.InputException("--tolerance: expected 0 to 100 percent, found " + tolerance);
    }
    Map<String, BenchResult> a = read(before);
    Map<String, BenchResult> b = read(after);
    Map<String, Comparison> rows = new LinkedHashMap<>();
    a.forEach((key, row) -> rows.put(key, compare(key, row, b.get(key))));
    b.forEach((key, row) -> rows.putIfAbsent(key, compare(key, null, row)));
    boolean passed =
        rows.values().stream()
            .noneMatch(r -> r.verdict == Verdict.SLOWER || r.verdict == Verdict.MISSING);
    print(new Output(List.copyOf(rows.values()), passed));
    return passed ? 0 : Errors.FAILED;
  }

  private Comparison compare(String key, @Nullable BenchResult a, @Nullable BenchResult b) {
    if (a == null || b == null) {
      return new Comparison(
          key,
          a == null ? null : a.tokensPerSecond().median(),
          b == null ? null : b.tokensPerSecond().median(),
          null,
          a == null ? Verdict.NEW : Verdict.MISSING);
    }
    double from = a.tokensPerSecond().median();
    double to = b.tokensPerSecond().median();
    return new Comparison(key, from, to, to / from, verdict(a, b, to / from));
  }

  private Verdict verdict(BenchResult a, BenchResult b, double ratio) {
    if (b.tokensPerSecond().isAbove(a.tokensPerSecond())) {
      return Verdict.FASTER;
    }
    if (!a.tokensPerSecond().isAbove(b.tokensPerSecond())) {
      return Verdict.NOT_TOLD_APART;
    }
    return ratio < 1 - tolerance / 100 ? Verdict.SLOWER : Verdict.SLOWER_WITHIN_TOLERANCE;
  }

  private static Map<String, BenchResult> read(Path file) throws IOException {
    Map<String, BenchResult> rows = new LinkedHashMap<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      try {
        BenchResult row = Json.MAPPER.readValue(lines.get(i), BenchResult.class);
        rows.put(row.key(), row);
      } catch (JacksonException e) {
        throw new Errors.InputException(
            "%s, line %d: is not a row of 'bench --format jsonl' (%s); write the file again"
                .formatted(file, i + 1, e.getOriginalMessage()));
      }
    }
    if (rows.isEmpty()) {
      throw new Errors.InputException(
          file + ": has no rows; expected the output of 'bench --format jsonl'");
    }
    return rows;
  }

  private void print(Output output) {
    PrintWriter out = spec.commandLine().getOut();
    switch (format) {
      case JSON -> Json.print(out, output);
      case JSONL -> output.rows.forEach(r -> Json.printLine(out, r));
      case TEXT, MD, CSV, SQL -> {
        var table = new Table("row", "before tok/s", "after tok/s", "ratio", "verdict");
        for (Comparison c : output.rows) {
          table.add(
              c.row,
              c.before == null ? "" : Text.significant(c.before),
              c.after == null ? "" : Text.significant(c.after),
              c.ratio == null ? "" : Text.number("%.3f", c.ratio),
              c.verdict.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
        }
        table.note(
            output.passed
                ? "passed: no row is slower beyond chance"
                : "failed: rows are slower beyond chance, or missing");
        table.print(out, format);
      }
    }
    out.flush();
  }
}
