package dev.ridgeline.lab.report;

import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.lab.study.LabRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** {@code REPORT.md}. */
final class MarkdownReport {
  private static final Map<String, String> CAPTIONS =
      Map.of(
          "speed_memory",
              "Speed against memory; bars: 95 % confidence intervals; dashed: variants that no other beats in both.",
          "latency",
              "Time between tokens: the share of all raw gaps that are at most so long. The longest are in the table of latencies.",
          "efficiency",
              "Tokens a second for each GB of memory, against quality (or memory, where quality was not measured); dashed: the efficiency frontier.",
          "speed_quality", "Speed against quality; dashed: the Pareto front.",
          "roofline",
              "Roofline: generation is the left end of each line, the prompt the right end.");

  private static final String ERROR = " **ERROR OF MEASUREMENT: above the machine's limit**";

  private final Findings findings;
  private final Decisions decisions;
  private final List<String> plots;
  private final List<String> lines = new ArrayList<>();

  MarkdownReport(Findings findings, List<String> plots) {
    this.findings = findings;
    this.decisions = new Decisions(findings);
    this.plots = plots;
  }

  String text() {
    LabRecord.Session s = findings.session();
    line("# Which quantization of " + s.model() + "?");
    line("");
    String notWhole = findings.notWhole();
    if (notWhole != null) {
      line(notWhole);
      line("");
    }
    decisions.tree().forEach(l -> line("- " + l));
    line("");
    line("Every figure above stands in the decision matrix, with the records it comes from.");
    section("Decision matrix");
    matrix();
    section("Speed");
    speeds();
    section("Latency");
    latencies();
    section("What limits each");
    limits();
    section("Memory");
    memory();
    section("Quality");
    quality();
    if (!plots.isEmpty()) {
      section("Plots");
      plots.forEach(p -> line("![%s](plots/%s.png)\n\n%s\n".formatted(p, p, CAPTIONS.get(p))));
    }
    section("What is missing");
    missing();
    section("How it was measured");
    method();
    return String.join("\n", lines) + "\n";
  }

  private void line(String text) {
    lines.add(text);
  }

  private void section(String title) {
    line("");
    line("## " + title);
    line("");
  }

  private void head(String... cells) {
    row((Object[]) cells);
    line("|" + " --- |".repeat(cells.length));
  }

  private void row(Object... cells) {
    line(
        java.util.Arrays.stream(cells)
            .map(c -> String.valueOf(c).replace("|", "\\|"))
            .collect(Collectors.joining(" | ", "| ", " |")));
  }

  private static String f(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }

  private void matrix() {
    head(
        "variant",
        "speed, tok/s [95 % interval]",
        "latency P95, ms",
        "memory, GB",
        "quality: divergence, nats (perplexity)",
        "use",
        "records");
    int tokens =
        findings.comparable().isEmpty()
            ? 0
            : Objects.requireNonNull(findings.comparable().getFirst().headline()).tokens();
    for (VariantFindings v : findings.variants()) {
      LengthFindings l = v.headline();
      LabRecord.Quality q = v.quality();
      row(
          v.name(),
          l == null
              ? ""
              : speed(l) + (l.tokens() == tokens ? "" : ", of %d tokens".formatted(l.tokens())),
          l == null ? "" : percentile(l, Percentiles::p95, 2),
          v.facts() == null ? "" : f("%.3f", v.gigabytes()),
          q == null ? "" : f("%.4f (%.2f)", q.kldMean(), q.perplexity()),
          decisions.use(v),
          l == null
              ? ""
              : "%s, `variant/%s`".formatted(records(l), v.name())
                  + (q == null ? "" : ", `quality/%s`".formatted(v.name())));
    }
    line("");
    line(
        f(
            "Speeds and latencies of this table are those of %s generated tokens. Near lossless: a mean divergence from"
                + " the source of at most %s nats a token; small loss: at most %s. Variants whose intervals overlap are not told apart.",
            tokens == 0 ? "no" : tokens, Findings.NEAR_LOSSLESS, Findings.SMALL_LOSS));
  }

  private static String speed(LengthFindings l) {
    var e = l.tokensPerSecond();
    String interval =
        l.estimated()
            ? ""
            : e.hasInterval()
                ? f(" [%.1f, %.1f]", e.low(), e.high())
                : " [" + Decisions.runs(e.runs()) + ": no interval]";
    return f("%.1f", e.median()) + interval + l.marked();
  }

  private static String percentile(
      LengthFindings l, ToDoubleFunction<Percentiles> of, int decimals) {
    Percentiles gaps = l.gaps();
    return gaps == null ? "" : f("%." + decimals + "f", of.applyAsDouble(gaps));
  }

  private void speeds() {
    head(
        "variant",
        "tokens",
        "runs",
        "tok/s median [95 % interval]",
        "mean",
        "std",
        "min",
        "max",
        "time to first token, ms",
        "records");
    each(
        (v, l) -> {
          var s = l.speeds();
          row(
              v.name(),
              l.tokens(),
              l.runs().size(),
              speed(l),
              f("%.1f", s.getAverage()),
              f("%.2f", l.deviation()),
              f("%.1f", s.getMin()),
              f("%.1f", s.getMax()),
              f("%.1f", 1e3 * l.ttftSeconds().median()) + (l.isPromptAboveLimit() ? ERROR : ""),
              records(l));
        });
  }

  private void latencies() {
    head("variant", "tokens", "P50, ms", "P95, ms", "P99, ms", "max, ms", "gaps", "records");
    each(
        (v, l) ->
            row(
                v.name(),
                l.tokens(),
                percentile(l, Percentiles::p50, 3),
                percentile(l, Percentiles::p95, 3),
                percentile(l, Percentiles::p99, 3),
                percentile(l, Percentiles::max, 3),
                l.estimated() ? "none: estimated" : l.gapsMillis().length,
                records(l)));
  }

  private void limits() {
    head("variant", "MB/token", "GB/s", "share of limit", "limited by", "evidence", "records");
    for (VariantFindings v : findings.variants()) {
      LengthFindings l = v.headline();
      if (l != null) {
        Limiter limiter = Limiter.of(l, findings.session());
        var reached = l.utilization();
        row(
            v.name(),
            f("%.2f", l.runs().getFirst().bytesPerToken() / 1e6),
            f("%.2f", reached.gigabytesPerSecond()),
            f("%.0f %%", 100 * reached.shareOfLimit()) + (l.isAboveLimit() ? ERROR : l.marked()),
            limiter.name(),
            limiter.evidence(),
            records(l));
      }
    }
  }

  private void memory() {
    head(
        "variant",
        "file, MB",
        "bits/weight",
        "weights, MB",
        "repacked, MB",
        "KV, MB",
        "activations, MB",
        "all, GB",
        "to load: staging, MB",
        "record");
    for (VariantFindings v : findings.variants()) {
      LabRecord.Variant m = v.facts();
      if (m != null) {
        row(
            v.name(),
            f("%.1f", m.fileBytes() / 1e6),
            f("%.2f", m.bitsPerWeight()),
            f("%.1f", m.weightBytes() / 1e6),
            f("%.1f", m.repackedBytes() / 1e6),
            f("%.1f", m.kvBytes() / 1e6),
            f("%.1f", m.activationBytes() / 1e6),
            f("%.4f", v.gigabytes()),
            f("%.1f", m.stagingBytes() / 1e6),
            "`variant/" + v.name() + "`");
      }
    }
  }

  private void quality() {
    if (findings.session().qualityTokens() == 0) {
      line("Not measured: the plan asks for none (`quality_tokens: 0`).");
      return;
    }
    head(
        "variant",
        "perplexity",
        "KLD mean, nats",
        "KLD P50",
        "KLD P95",
        "KLD P99",
        "KLD max",
        "same top token",
        "RMS change of probability",
        "tokens",
        "record");
    for (VariantFindings v : findings.variants()) {
      LabRecord.Quality q = v.quality();
      if (q != null) {
        row(
            v.name(),
            f("%.3f ± %.3f", q.perplexity(), q.standardError()),
            f("%.5f ± %.5f", q.kldMean(), q.kldStandardError()),
            f("%.5f", q.kldPercentiles().p50()),
            f("%.5f", q.kldPercentiles().p95()),
            f("%.5f", q.kldPercentiles().p99()),
            f("%.5f", q.kldPercentiles().max()),
            f("%.2f %%", 100 * q.topAgreement()),
            f("%.3f %%", 100 * q.probabilityChangeRms()),
            q.tokens(),
            "`quality/" + v.name() + "`");
      }
    }
    line("");
    line(
        "Measured on "
            + findings.session().text()
            + ". KLD: divergence of the variant's distribution from the source's.");
  }

  private void missing() {
    List<String> found = new ArrayList<>(findings.missing());
    found.replaceAll(l -> l.replaceFirst("^(\\w+/\\S+): ", "`$1`: "));
    if (plots.isEmpty() && !findings.comparable().isEmpty()) {
      found.add(
          "The plots: this Java runtime found no fonts; install fontconfig and a font, and call 'ridgeline report'.");
    }
    found.stream().map(l -> "- " + l).forEach(this::line);
    if (found.isEmpty()) {
      line("Nothing: every cell of the plan was measured.");
    }
  }

  private void method() {
    LabRecord.Session s = findings.session();
    line(
        f(
            "Machine (`%s`): %s, %d processors, %.1f GB of memory, %s; %s. Ridgeline %s, commit %s.",
            findings.sessionId(),
            s.machine().cpu(),
            s.machine().processors(),
            s.machine().memoryBytes() / 1e9,
            s.machine().os(),
            s.machine().jvm(),
            s.machine().ridgeline(),
            s.machine().commit()));
    line(
        f(
            "Backend %s (%s) was measured to read %.1f GB/s and to do %.0f GFLOP/s%s: the limits of all shares. %s",
            s.limits().backend(),
            s.limits().description(),
            s.limits().readGigabytesPerSecond(),
            s.limits().gigaflopsPerSecond(),
            s.limits().quantizedGigaflopsPerSecond() == null
                    || s.limits().quantizedGigaflopsPerSecond() <= s.limits().gigaflopsPerSecond()
                ? ""
                : f(", %.0f with quantized weights", s.limits().quantizedGigaflopsPerSecond()),
            launches(s)));
    line(
        f(
            "Model: %s, %.1f M parameters, context %d, SHA-256 `%s`; KV cache %s.",
            s.model(), s.parameters() / 1e6, s.contextLength(), s.modelHash(), s.kvType()));
    line("");
    line(
        "- A run is a prompt of "
            + s.promptTokens()
            + " random tokens from an empty KV cache, which gives the time to the first token, and then, from an empty one again, random tokens one by one, each followed by the choice of the best next token.");
    line(
        "- Runs go round over the variants, after a warm-up until three runs agree within 3 %. Latencies are the raw gaps between tokens.");
    line(
        "- Intervals hold the median with 95 % confidence (bootstrap, percentile method); percentiles are values that were measured.");
    line(
        "- Bytes a token: every weight byte and all K and V in view. The limit is main memory's bandwidth, or the fastest arithmetic the backend has. A share above 100 % is an error of measurement: of the run, of the limit, or because the weights stayed in a cache that the limit leaves out.");
    line(
        "- Memory is what the device that ran it holds while it runs, the sum of the buffers that the backend allocates: a GPU's memory, or on the CPU the machine's. It is the column VRAM_GB of performance_matrix.csv. Staging, through which a GPU is loaded and read, is beside it.");
    line(
        "- Every figure traces to records.jsonl by the id beside it; a row of performance_matrix.csv is the record `run/Model/Tokens/Run`.");
  }

  private static String launches(LabRecord.Session s) {
    String op =
        f("Launching one of its %d ops takes at most %.2f µs", s.ops(), s.launchMicrosPerOp());
    return s.launchMicrosPerStep() == null
        ? op + "."
        : op + f(", starting and ending a step %.1f µs.", s.launchMicrosPerStep());
  }

  private interface Each {
    void row(VariantFindings v, LengthFindings l);
  }

  private void each(Each each) {
    findings.variants().forEach(v -> v.lengths().forEach(l -> each.row(v, l)));
  }

  /** Such as {@code run/Q4_K_M/256/1..5}. */
  private static String records(LengthFindings l) {
    String first = l.records().getFirst();
    String last = l.records().getLast();
    return l.records().size() == 1
        ? "`" + first + "`"
        : "`" + first + ".." + last.substring(last.lastIndexOf('/') + 1) + "`";
  }
}
