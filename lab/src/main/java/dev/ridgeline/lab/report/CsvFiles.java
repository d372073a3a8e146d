package dev.ridgeline.lab.report;

import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.lab.study.LabRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The two tables for spreadsheets. */
final class CsvFiles {
  private static final String MATRIX = "Model,Tokens,Run,TPS,Latency_ms,VRAM_GB,P50,P95,P99";
  private static final String SUMMARY =
      "Model,Tokens,Runs,Mean_TPS,Std_TPS,Min_TPS,Max_TPS,Median_TPS,CI95_low_TPS,CI95_high_TPS,"
          + "TTFT_ms,P50_ms,P95_ms,P99_ms,Max_ms,Bytes_per_token,GB_per_s,Share_of_limit,Limiter,"
          + "Memory_GB,Perplexity,KLD_mean,Status,Records";

  private CsvFiles() {}

  /**
   * A row for each run; one that failed has empty fields. TPS: tokens a second. Latency_ms: the
   * mean time of a token. VRAM_GB: memory held by the device that ran it; by GPUs, where the
   * processor had layers too. P50 to P99: milliseconds between tokens. The record of a row is
   * {@code run/Model/Tokens/Run}. A run that was estimated has no percentiles.
   */
  static void matrix(Findings findings, Path file) throws IOException {
    List<String> lines = new ArrayList<>(List.of(MATRIX));
    for (VariantFindings v : findings.variants()) {
      for (Map.Entry<Integer, Integer> length : findings.session().runs().entrySet()) {
        for (int run = 1; run <= length.getValue(); run++) {
          lines.add(row(v, length.getKey(), run));
        }
      }
    }
    Files.write(file, lines);
  }

  private static String row(VariantFindings v, int tokens, int number) {
    String key = "%s,%d,%d,".formatted(v.name(), tokens, number);
    return v.lengths().stream()
        .flatMap(l -> l.runs().stream())
        .filter(r -> r.tokens() == tokens && r.number() == number)
        .findFirst()
        .map(r -> key + figures(v, r))
        .orElse(key + ",,,,,");
  }

  private static String figures(VariantFindings v, LabRecord.Run r) {
    return format(
            "%.3f,%.4f,%.4f",
            r.tokensPerSecond(),
            r.latencyMillis(),
            r.gpuBytes() == null ? v.gigabytes() : r.gpuBytes() / 1e9)
        + (r.gapNanos().length == 0 ? ",,," : percentiles(r.gapMillis()));
  }

  private static String percentiles(Percentiles p) {
    return format(",%.4f,%.4f,%.4f", p.p50(), p.p95(), p.p99());
  }

  /** A row for each variant and length. */
  static void summary(Findings findings, Path file) throws IOException {
    List<String> lines = new ArrayList<>(List.of(SUMMARY));
    for (VariantFindings v : findings.variants()) {
      for (LengthFindings l : v.lengths()) {
        lines.add(summary(findings.session(), v, l));
      }
    }
    Files.write(file, lines);
  }

  private static String summary(LabRecord.Session session, VariantFindings v, LengthFindings l) {
    DoubleSummaryStatistics s = l.speeds();
    Percentiles p = l.gaps();
    LabRecord.Quality q = v.quality();
    return format(
            "%s,%d,%d,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f",
            v.name(),
            l.tokens(),
            l.runs().size(),
            s.getAverage(),
            l.deviation(),
            s.getMin(),
            s.getMax(),
            l.tokensPerSecond().median(),
            l.tokensPerSecond().low(),
            l.tokensPerSecond().high(),
            1e3 * l.ttftSeconds().median())
        + (p == null ? ",,,," : percentiles(p) + format(",%.4f", p.max()))
        + format(
            ",%.0f,%.3f,%.4f,%s,%.4f,",
            l.runs().getFirst().bytesPerToken(),
            l.utilization().gigabytesPerSecond(),
            l.utilization().shareOfLimit(),
            Limiter.of(l, session).name(),
            v.gigabytes())
        + (q == null ? "," : format("%.4f,%.6f", q.perplexity(), q.kldMean()))
        + ","
        + (l.mark().isEmpty() ? "measured" : l.mark())
        + ","
        + String.join(" ", l.records());
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
