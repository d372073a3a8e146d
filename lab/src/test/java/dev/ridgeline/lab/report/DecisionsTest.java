package dev.ridgeline.lab.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.lab.study.LabRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Decisions follow from figures: other figures, other words. */
class DecisionsTest {
  private static final double GIGABYTES_PER_SECOND = 10;

  private static VariantFindings variant(
      String name, double gigabytes, double divergence, double... speeds) {
    long bytes = (long) (gigabytes * 1e9);
    List<LabRecord.Run> runs = new ArrayList<>();
    for (int i = 0; i < speeds.length; i++) {
      long gap = Math.round(1e9 / speeds[i]);
      runs.add(
          new LabRecord.Run(
              name,
              2,
              i + 1,
              "cpu",
              1,
              1,
              0.1,
              2 / speeds[i],
              (double) bytes,
              1e6,
              (double) bytes,
              1e6,
              GIGABYTES_PER_SECOND,
              1000,
              null,
              new long[] {gap, gap}));
    }
    return new VariantFindings(
        name,
        new LabRecord.Variant(name, bytes, 8, Map.of(), 1, bytes, 0, 0, 0, 0),
        List.of(
            new LengthFindings(
                2,
                runs,
                IntStream.range(0, speeds.length)
                    .mapToObj(i -> "run/%s/2/%d".formatted(name, i + 1))
                    .toList(),
                "")),
        new LabRecord.Quality(name, 10, 10, 0.1, divergence, 0, new Percentiles(0, 0, 0, 0), 1, 0),
        List.of(),
        List.of());
  }

  private static LabRecord.Session session(double launchMicrosPerOp, VariantFindings... variants) {
    return new LabRecord.Session(
        new MachineInfo("os", "cpu", 1, 1, "jvm", "0", "0"),
        new MachineFigures("cpu", "", 1, GIGABYTES_PER_SECOND, 1000, null),
        "m",
        "0",
        1,
        100,
        Arrays.stream(variants).map(VariantFindings::name).toList(),
        Map.of(2, 3),
        List.of(),
        1,
        "f16",
        100,
        launchMicrosPerOp,
        null,
        "text",
        10,
        "");
  }

  private static Findings findings(VariantFindings... variants) {
    return new Findings(session(1, variants), "session/1", List.of(variants), List.of());
  }

  private static final VariantFindings SOURCE = variant("F16", 1.0, 0, 5.0, 5.1, 5.2);

  @Test
  void theFastestOfThoseThatAreGoodEnoughIsRecommended() {
    var good = variant("Q8_0", 0.5, 0.005, 8.0, 8.1, 8.2);
    var poor = variant("Q2_K", 0.2, 0.3, 9.0, 9.1, 9.2);
    List<String> tree = new Decisions(findings(SOURCE, good, poor)).tree();

    assertThat(tree)
        .anyMatch(
            l -> l.contains("as good as the source's") && l.contains("Use Q8_0, 8.100 tok/s"));
    assertThat(tree).anyMatch(l -> l.contains("only speed") && l.contains("Use Q2_K"));
    assertThat(tree.getFirst())
        .contains("less memory than 0.200 GB")
        .contains("Q2_K is the smallest");
  }

  @Test
  void variantsThatCannotBeToldApartAreSaidToBe() {
    var a = variant("A", 0.5, 0, 8.0, 8.1, 8.2);
    var b = variant("B", 0.4, 0.001, 8.1, 8.2, 8.3);
    Decisions decisions = new Decisions(findings(a, b));

    assertThat(decisions.use(a)).contains("among the fastest");
    assertThat(decisions.tree())
        .anyMatch(
            l ->
                l.contains("Speed does not decide: the intervals of A, 8.100")
                    && l.contains("The smallest of them is B"))
        .noneMatch(l -> l.contains("Use A") || l.contains("Use B"));
  }

  @Test
  void aDivergenceThatMayLieOnEitherSideOfABoundIsUndecided() {
    var good = variant("Q8_0", 0.5, 0.001, 8.0, 8.1, 8.2);
    var near = uncertain(variant("Q4_K", 0.4, 0.0104, 9.0, 9.1, 9.2), 0.0006);

    assertThat(new Decisions(findings(good, near)).tree())
        .anyMatch(
            l -> l.contains("at most 0.01 ") && l.contains("interval of Q4_K (0.0104 ± 0.0012)"));
  }

  private static VariantFindings uncertain(VariantFindings v, double standardError) {
    LabRecord.Quality q = java.util.Objects.requireNonNull(v.quality());
    return new VariantFindings(
        v.name(),
        java.util.Objects.requireNonNull(v.facts()),
        v.lengths(),
        new LabRecord.Quality(
            q.variant(),
            q.tokens(),
            q.perplexity(),
            q.standardError(),
            q.kldMean(),
            standardError,
            q.kldPercentiles(),
            q.topAgreement(),
            q.probabilityChangeRms()),
        v.failures(),
        v.notes());
  }

  @Test
  void aVariantThatAnotherBeatsInEverythingIsOfNoUse() {
    var better = variant("Q8_0", 0.5, 0, 8.0, 8.1, 8.2);
    var worse = variant("Q5_0", 0.6, 0.09, 6.0, 6.1, 6.2);
    Decisions decisions = new Decisions(findings(better, worse));

    assertThat(decisions.use(worse)).contains("no use: Q8_0 is faster, smaller and better");
    assertThat(decisions.front()).containsExactly(better);
  }

  @Test
  void aFigureAboveTheMachinesLimitIsAnErrorOfMeasurement() {
    // 0.5 GB a token at 10 GB/s are 20 tokens a second at most.
    var impossible = variant("Q8_0", 0.5, 0, 25, 25, 25);
    Findings findings = findings(impossible);

    assertThat(limiter(1, 25, 25, 25).name()).isEqualTo("error of measurement");
    assertThat(new MarkdownReport(findings, List.of()).text())
        .contains("ERROR OF MEASUREMENT: above the machine's limit");
  }

  @Test
  void aPromptAboveTheMachinesLimitIsAnErrorOfMeasurementToo() {
    // 2 GB at 10 GB/s take 0.2 s at least; the prompt took 0.1.
    var impossible = variant("F16", 2, 0, 4, 4, 4);
    String report = new MarkdownReport(findings(impossible), List.of()).text();

    assertThat(limiter(1, 15, 15, 15).name()).isEqualTo("memory bandwidth");
    assertThat(report).contains("100.0 **ERROR OF MEASUREMENT: above the machine's limit**");
    assertThat(report.split("ERROR OF MEASUREMENT", -1)).hasSize(2);
  }

  @Test
  void aSpeedThatIsAnErrorOrAnEstimateIsMarkedWhereverItStands() {
    var impossible = variant("Q8_0", 0.5, 0.1, 25, 25, 25);
    var estimated = estimated(variant("F16", 1.0, 0, 5, 5, 5));
    Decisions decisions = new Decisions(findings(impossible, estimated));

    assertThat(decisions.use(impossible)).contains("error of measurement");
    assertThat(String.join("\n", decisions.tree()))
        .contains("25.0 tok/s [25.0 to 25.0] (error of measurement)")
        .contains("F16, 5.000 tok/s (estimated)")
        .doesNotContain("5.000 to 5.000");
    String report = new MarkdownReport(findings(impossible, estimated), List.of()).text();
    assertThat(report)
        .contains("| F16 | 5.0 (estimated) |  | 1.000 |")
        .contains("| F16 | 2 |  |  |  |  | none: estimated |")
        .contains("50 % (estimated)");
  }

  @Test
  void anEstimateHasNoPercentilesInTheTables(@TempDir Path folder) throws IOException {
    Findings findings = findings(estimated(variant("F16", 1.0, 0, 5, 5, 5)));
    CsvFiles.matrix(findings, folder.resolve("matrix.csv"));
    CsvFiles.summary(findings, folder.resolve("summary.csv"));
    List<String> summary = Files.readAllLines(folder.resolve("summary.csv"));

    assertThat(Files.readAllLines(folder.resolve("matrix.csv")).get(1))
        .isEqualTo("F16,2,1,5.000,200.0000,1.0000,,,");
    assertThat(summary.get(1).split(",", -1)).hasSameSizeAs(summary.getFirst().split(","));
    assertThat(summary.get(1)).contains(",100.000,,,,,1000000000,").contains(",estimated,");
    assertThat(new Plots(findings, folder).write()).doesNotContain("latency");
  }

  private static VariantFindings estimated(VariantFindings v) {
    LengthFindings l = v.lengths().getFirst();
    List<LabRecord.Run> runs =
        l.runs().stream()
            .map(
                r ->
                    new LabRecord.Run(
                        r.variant(),
                        r.tokens(),
                        r.number(),
                        r.backend(),
                        r.threads(),
                        r.promptTokens(),
                        r.ttftSeconds(),
                        r.seconds(),
                        r.bytesPerToken(),
                        r.flopsPerToken(),
                        r.promptBytes(),
                        r.promptFlops(),
                        r.readGigabytesPerSecond(),
                        r.gigaflopsPerSecond(),
                        null,
                        new long[0]))
            .toList();
    return new VariantFindings(
        v.name(),
        java.util.Objects.requireNonNull(v.facts()),
        List.of(new LengthFindings(l.tokens(), runs, l.records(), LengthFindings.ESTIMATED)),
        java.util.Objects.requireNonNull(v.quality()),
        v.failures(),
        v.notes());
  }

  private static Limiter limiter(double launchMicrosPerOp, double... speeds) {
    var variant = variant("a", 0.5, 0, speeds);
    return Limiter.of(variant.lengths().getFirst(), session(launchMicrosPerOp, variant));
  }

  /** 0.5 GB a token at 10 GB/s take 50 ms; 100 ops are launched for each token. */
  @Test
  void theLimiterIsWhatTakesMostOfTheTime() {
    assertThat(limiter(1, 15, 15, 15).name()).isEqualTo("memory bandwidth");
    assertThat(limiter(3000, 2, 2, 2).name()).isEqualTo("launch overhead");
    // A token takes 111 ms: 50 for its bytes, 20 for launches, 41 for the rest.
    // Of 83 ms 50 for its bytes: launches cannot take the 80 that are their bound.
    assertThat(limiter(800, 12, 12, 12).name()).isEqualTo("memory bandwidth");
    assertThat(limiter(200, 9, 9, 9).name()).isEqualTo("memory bandwidth");
    assertThat(limiter(1000, 2, 2, 2))
        .satisfies(
            l -> {
              assertThat(l.name()).isEqualTo("arithmetic");
              // A token takes 500 ms: 50 for its bytes, 100 for launches.
              assertThat(l.evidence()).contains("the other 350.000 ms (70 %)");
            });
  }
}
