package dev.ridgeline.lab.report;

import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.lab.study.LabRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the page shows, as its script reads it. */
record PageData(
    String model,
    String modelHash,
    double parameters,
    int contextLength,
    String text,
    String kvType,
    int promptTokens,
    String session,
    MachineInfo machine,
    MachineFigures limits,
    List<String> tree,
    List<Variant> variants,
    @Nullable String notWhole,
    List<String> missing) {
  private static final int CURVE_POINTS = 200;

  record Variant(
      String name,
      @Nullable Double gigabytes,
      LabRecord.@Nullable Variant facts,
      LabRecord.@Nullable Quality quality,
      String use,
      boolean onFront,
      boolean onFrontier,
      boolean onEfficiency,
      List<Length> lengths) {}

  record Length(
      int tokens,
      String mark,
      Estimate speed,
      Estimate ttft,
      @Nullable Percentiles gaps,
      double gigabytesPerSecond,
      double share,
      boolean aboveLimit,
      boolean promptAboveLimit,
      String limiter,
      String evidence,
      double[] generatePoint,
      double[] promptPoint,
      List<double[]> curve,
      List<Run> runs) {}

  record Run(
      String record,
      double speed,
      double latencyMillis,
      double ttftMillis,
      @Nullable Percentiles gaps) {}

  static PageData of(Findings findings) {
    LabRecord.Session s = findings.session();
    Decisions decisions = new Decisions(findings);
    return new PageData(
        s.model(),
        s.modelHash(),
        s.parameters(),
        s.contextLength(),
        s.text(),
        s.kvType(),
        s.promptTokens(),
        findings.sessionId(),
        s.machine(),
        s.limits(),
        decisions.tree(),
        findings.variants().stream().map(v -> variant(v, findings, decisions)).toList(),
        findings.notWhole(),
        findings.missing());
  }

  private static Variant variant(VariantFindings v, Findings findings, Decisions decisions) {
    return new Variant(
        v.name(),
        v.facts() == null ? null : v.gigabytes(),
        v.facts(),
        v.quality(),
        decisions.use(v),
        decisions.front().contains(v),
        decisions.memoryFront().contains(v),
        decisions.efficiencyFront().contains(v),
        v.lengths().stream().map(l -> length(l, findings.session())).toList());
  }

  private static Length length(LengthFindings l, LabRecord.Session session) {
    LabRecord.Run any = l.runs().getFirst();
    Limiter limiter = Limiter.of(l, session);
    List<Run> runs = new ArrayList<>();
    for (int i = 0; i < l.runs().size(); i++) {
      LabRecord.Run r = l.runs().get(i);
      runs.add(
          new Run(
              l.records().get(i),
              r.tokensPerSecond(),
              r.latencyMillis(),
              1e3 * r.ttftSeconds(),
              l.estimated() ? null : r.gapMillis()));
    }
    return new Length(
        l.tokens(),
        l.mark(),
        l.tokensPerSecond(),
        l.ttftSeconds(),
        l.gaps(),
        l.utilization().gigabytesPerSecond(),
        l.utilization().shareOfLimit(),
        l.isAboveLimit(),
        l.isPromptAboveLimit(),
        limiter.name(),
        limiter.evidence(),
        new double[] {
          any.flopsPerToken() / any.bytesPerToken(), l.utilization().gigaflopsPerSecond()
        },
        new double[] {
          any.promptFlops() / any.promptBytes(), l.promptUtilization().gigaflopsPerSecond()
        },
        curve(l.gapsMillis()),
        runs);
  }

  /** {@code [milliseconds, percent of the gaps that are at most so long]}. */
  private static List<double[]> curve(double[] gaps) {
    double[] sorted = gaps.clone();
    Arrays.sort(sorted);
    int points = Math.min(sorted.length, CURVE_POINTS);
    List<double[]> curve = new ArrayList<>();
    for (int i = 0; i < points; i++) {
      int rank = points == 1 ? 0 : (int) ((long) i * (sorted.length - 1) / (points - 1));
      curve.add(new double[] {sorted[rank], 100.0 * (rank + 1) / sorted.length});
    }
    return curve;
  }
}
