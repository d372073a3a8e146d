package dev.ridgeline.cli;

import dev.ridgeline.lab.MachineFigures;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The output of {@code bench}.
 *
 * @param machine the first backend measured
 * @param machines all of them
 */
record BenchOutput(
    MachineFigures machine, List<MachineFigures> machines, List<BenchResult> results) {

  void print(PrintWriter out, TableFormat format) {
    switch (format) {
      case JSON -> Json.print(out, this);
      case JSONL -> results.forEach(r -> Json.printLine(out, r));
      case SQL -> printSql(out);
      case TEXT, MD, CSV -> table().print(out, format);
    }
    out.flush();
  }

  private Table table() {
    var table =
        new Table(
            "model",
            "backend",
            "threads",
            "batch",
            "KV",
            "test",
            "tok/s",
            "low",
            "high",
            "runs",
            "MB/token",
            "GFLOP/token",
            "GB/s",
            "limit",
            "share of limit");
    for (BenchResult r : results) {
      table.add(
          r.model(),
          r.backend(),
          r.threads(),
          r.batch(),
          r.kvType(),
          r.test(),
          Text.significant(r.tokensPerSecond().median()),
          Text.significant(r.tokensPerSecond().low()),
          Text.significant(r.tokensPerSecond().high()),
          r.tokensPerSecond().runs(),
          Text.significant(r.bytesPerToken() / 1e6),
          Text.significant(r.flopsPerToken() / 1e9),
          Text.significant(r.gigabytesPerSecond()),
          r.limit().replace('_', ' '),
          // A share above 1 cannot be: the measurement, of the run or of the limit, is wrong.
          Text.number(
              "%.0f %%%s",
              r.shareOfLimit() * 100, r.shareOfLimit() > 1 ? " (error: above the limit)" : ""));
    }
    table.note("tok/s: the median run; low and high: its 95 % confidence interval by bootstrap");
    for (MachineFigures m : machines) {
      table.note(
          Text.number(
              "limits measured here, %d threads: %.1f GB/s read, %.0f GFLOP/s, with quantized"
                  + " weights %.0f (%s: %s)",
              m.threads(),
              m.readGigabytesPerSecond(),
              m.gigaflopsPerSecond(),
              m.limits().quantizedFlopsPerSecond() / 1e9,
              m.backend(),
              m.description()));
    }
    verdicts().forEach(table::note);
    return table;
  }

  /** For each test that was run in more than one way: which way is faster, if that can be said. */
  List<String> verdicts() {
    Map<String, List<BenchResult>> tests =
        results.stream()
            .collect(
                Collectors.groupingBy(BenchResult::test, LinkedHashMap::new, Collectors.toList()));
    List<String> lines = new ArrayList<>();
    tests.forEach(
        (test, rows) -> {
          if (rows.size() > 1) {
            lines.add(verdict(test, rows));
          }
        });
    return lines;
  }

  private static String verdict(String test, List<BenchResult> rows) {
    BenchResult best =
        rows.stream()
            .max(Comparator.comparingDouble(r -> r.tokensPerSecond().median()))
            .orElseThrow();
    List<BenchResult> like =
        rows.stream()
            .filter(r -> r != best && best.tokensPerSecond().isLike(r.tokensPerSecond()))
            .toList();
    if (like.isEmpty()) {
      return test + ": fastest is " + best.key();
    }
    return "%s: no row is called fastest: the intervals of %s and %s overlap, or rest on fewer than 3 runs"
        .formatted(
            test,
            best.key(),
            like.stream().map(BenchResult::key).collect(Collectors.joining(" and ")));
  }

  private void printSql(PrintWriter out) {
    out.println(
        "create table if not exists bench (model text, backend text, threads integer, batch"
            + " integer, kv_type text, prompt_tokens integer, generate_tokens integer, depth"
            + " integer, runs integer, tokens_per_second real, low real, high real, bytes_per_token"
            + " real, flops_per_token real, gigabytes_per_second real, gigaflops_per_second real,"
            + " limit_name text, share_of_limit real, warmup_seconds real, cpu text, ridgeline"
            + " text, commit_id text);");
    for (BenchResult r : results) {
      out.println(
          String.format(
              Locale.ROOT,
              "insert into bench values (%s, %s, %d, %d, %s, %d, %d, %d, %d, %s, %s, %s, %s, %s,"
                  + " %s, %s, %s, %s, %s, %s, %s, %s);",
              quote(r.model()),
              quote(r.backend()),
              r.threads(),
              r.batch(),
              quote(r.kvType()),
              r.promptTokens(),
              r.generateTokens(),
              r.depth(),
              r.tokensPerSecond().runs(),
              r.tokensPerSecond().median(),
              r.tokensPerSecond().low(),
              r.tokensPerSecond().high(),
              r.bytesPerToken(),
              r.flopsPerToken(),
              r.gigabytesPerSecond(),
              r.gigaflopsPerSecond(),
              quote(r.limit()),
              r.shareOfLimit(),
              r.warmupSeconds(),
              quote(r.cpu()),
              quote(r.ridgeline()),
              quote(r.commit())));
    }
  }

  private static String quote(String s) {
    return "'" + s.replace("'", "''") + "'";
  }
}
