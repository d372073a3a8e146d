package dev.ridgeline.lab.report;

import dev.ridgeline.lab.plot.ChartFile;
import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.lab.study.LabRecord;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The plots, as PNG and SVG. */
final class Plots {
  /** Okabe and Ito's palette: told apart by readers who see colours differently. */
  static final List<Color> COLORS =
      List.of(
          new Color(0x0072B2),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xCC79A7),
          new Color(0xE69F00),
          new Color(0x56B4E9),
          new Color(0x333333),
          new Color(0x8C6D31));

  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE,
    SeriesMarkers.SQUARE,
    SeriesMarkers.DIAMOND,
    SeriesMarkers.TRIANGLE_UP,
    SeriesMarkers.TRIANGLE_DOWN,
    SeriesMarkers.OVAL,
    SeriesMarkers.TRAPEZOID,
    SeriesMarkers.RECTANGLE
  };

  private static final int WIDTH = 900;
  private static final int HEIGHT = 600;
  private static final String QUALITY =
      "divergence from the source (nats a token, lower is better)";

  private static final String MEMORY = "memory (GB)";

  private final Findings findings;
  private final Decisions decisions;
  private final Path folder;

  Plots(Findings findings, Path folder) {
    this.findings = findings;
    this.decisions = new Decisions(findings);
    this.folder = folder;
  }

  /** Draws all that there are figures for; the names of their files, without ending. */
  List<String> write() throws IOException {
    Files.createDirectories(folder);
    List<String> names = new ArrayList<>();
    if (findings.comparable().isEmpty()) {
      return names;
    }
    save(speedAgainstMemory(), "speed_memory", names);
    if (!measured().isEmpty()) {
      save(latencies(), "latency", names);
    }
    save(efficiency(), "efficiency", names);
    if (!rated().isEmpty()) {
      save(speedAgainstQuality(), "speed_quality", names);
    }
    save(roofline(), "roofline", names);
    return names;
  }

  private void save(XYChart chart, String name, List<String> names) throws IOException {
    ChartFile.write(chart, folder.resolve(name + ".png"));
    ChartFile.write(chart, folder.resolve(name + ".svg"));
    names.add(name);
  }

  private static double speed(VariantFindings v) {
    return Objects.requireNonNull(v.headline()).tokensPerSecond().median();
  }

  private XYChart speedAgainstMemory() {
    XYChart chart = chart("Speed against memory", MEMORY, "tokens per second");
    front(chart, decisions.memoryFront(), VariantFindings::gigabytes, Plots::speed, "front");
    intervals(chart, findings.comparable(), VariantFindings::gigabytes);
    points(chart, findings.comparable(), VariantFindings::gigabytes, Plots::speed);
    return chart;
  }

  private XYChart efficiency() {
    boolean quality = !rated().isEmpty();
    XYChart chart =
        chart("Efficiency frontier", quality ? QUALITY : MEMORY, "tokens per second for each GB");
    ToDoubleFunction<VariantFindings> x = quality ? Findings::loss : VariantFindings::gigabytes;
    ToDoubleFunction<VariantFindings> efficiency = v -> speed(v) / v.gigabytes();
    front(chart, decisions.efficiencyFront(), x, efficiency, "frontier");
    points(chart, quality ? rated() : findings.comparable(), x, efficiency);
    return chart;
  }

  private XYChart speedAgainstQuality() {
    XYChart chart = chart("Speed against quality", QUALITY, "tokens per second");
    front(chart, decisions.front(), Findings::loss, Plots::speed, "Pareto front");
    intervals(chart, rated(), Findings::loss);
    points(chart, rated(), Findings::loss, Plots::speed);
    return chart;
  }

  /** With gaps between tokens, which estimates have none of. */
  private List<VariantFindings> measured() {
    return findings.comparable().stream()
        .filter(v -> v.lengths().stream().anyMatch(l -> !l.estimated()))
        .toList();
  }

  private List<VariantFindings> rated() {
    return findings.comparable().stream().filter(v -> v.quality() != null).toList();
  }

  /** A dashed line through the points that nothing beats. */
  private static void front(
      XYChart chart,
      List<VariantFindings> front,
      ToDoubleFunction<VariantFindings> x,
      ToDoubleFunction<VariantFindings> y,
      String name) {
    if (front.isEmpty()) {
      return;
    }
    List<VariantFindings> sorted = front.stream().sorted(Comparator.comparingDouble(x)).toList();
    XYSeries line =
        chart.addSeries(
            name,
            sorted.stream().mapToDouble(x).toArray(),
            sorted.stream().mapToDouble(y).toArray());
    line.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Line);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(new Color(0x888888));
    line.setLineStyle(dashed());
  }

  private void points(
      XYChart chart,
      List<VariantFindings> variants,
      ToDoubleFunction<VariantFindings> x,
      ToDoubleFunction<VariantFindings> y) {
    for (VariantFindings v : variants) {
      XYSeries series =
          chart.addSeries(
              label(v), new double[] {x.applyAsDouble(v)}, new double[] {y.applyAsDouble(v)});
      style(series, v);
      series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    }
  }

  /** A bar from the lower to the upper end of each speed's interval. */
  private static void intervals(
      XYChart chart, List<VariantFindings> variants, ToDoubleFunction<VariantFindings> x) {
    for (VariantFindings v : variants) {
      Estimate e = Objects.requireNonNull(v.headline()).tokensPerSecond();
      double at = x.applyAsDouble(v);
      XYSeries bar =
          chart.addSeries(
              v.name() + ", interval", new double[] {at, at}, new double[] {e.low(), e.high()});
      bar.setShowInLegend(false);
      bar.setMarker(SeriesMarkers.NONE);
      bar.setLineColor(new Color(0x777777));
      bar.setLineStyle(new BasicStroke(1.4f));
    }
  }

  private static String label(VariantFindings v) {
    return v.name() + Objects.requireNonNull(v.headline()).marked();
  }

  private void style(XYSeries series, VariantFindings v) {
    int index = findings.variants().indexOf(v);
    Color color = COLORS.get(index % COLORS.size());
    series.setMarker(MARKERS[index % MARKERS.length]);
    series.setMarkerColor(color);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(1.6f));
  }

  /** The share of gaps that are at most so long: what a histogram would hide is here. */
  private XYChart latencies() {
    XYChart chart =
        chart("Time between tokens", "milliseconds", "share of tokens at most this (%)");
    double right =
        measured().stream()
            .flatMap(v -> v.lengths().stream())
            .map(LengthFindings::gaps)
            .filter(Objects::nonNull)
            .mapToDouble(Percentiles::p99)
            .max()
            .orElseThrow();
    chart.getStyler().setXAxisMin(0.0).setXAxisMax(1.1 * right).setYAxisMin(0.0).setYAxisMax(100.0);
    for (VariantFindings v : measured()) {
      double[] gaps =
          v.lengths().stream()
              .flatMapToDouble(l -> Arrays.stream(l.gapsMillis()))
              .sorted()
              .toArray();
      int points = Math.min(gaps.length, 250);
      double[] x = new double[points + 1];
      double[] y = new double[points + 1];
      // Half way up the first step: of evenly spaced values XChart makes the marks of the axis.
      x[0] = gaps[0];
      y[0] = 50.0 / gaps.length;
      for (int i = 0; i < points; i++) {
        int rank = points == 1 ? 0 : (int) ((long) i * (gaps.length - 1) / (points - 1));
        x[i + 1] = gaps[rank];
        y[i + 1] = 100.0 * (rank + 1) / gaps.length;
      }
      XYSeries series = chart.addSeries(label(v), x, y);
      style(series, v);
      series.setMarker(SeriesMarkers.NONE);
    }
    return chart;
  }

  /** Operations a second over operations a byte, below what the machine can do. */
  private XYChart roofline() {
    XYChart chart =
        chart(
            "Roofline",
            "operations for each byte moved (left ends: generation, right ends: prompt)",
            "GFLOP/s");
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    double bandwidth = findings.session().limits().readGigabytesPerSecond();
    double floats = findings.session().limits().gigaflopsPerSecond();
    Double quantized = findings.session().limits().quantizedGigaflopsPerSecond();
    double rate = quantized == null ? floats : Math.max(floats, quantized);
    double ridge = rate / bandwidth;
    double right = Math.max(10 * ridge, 1000);
    line(
        chart,
        "limit of the machine",
        new BasicStroke(2f),
        new double[] {0.1, ridge, right},
        new double[] {0.1 * bandwidth, rate, rate});
    if (floats < rate) {
      line(
          chart,
          "its limit with weights in floats",
          dashed(),
          new double[] {floats / bandwidth, right},
          new double[] {floats, floats});
    }
    for (VariantFindings v : findings.comparable()) {
      LengthFindings l = Objects.requireNonNull(v.headline());
      LabRecord.Run run = l.runs().getFirst();
      XYSeries series =
          chart.addSeries(
              label(v),
              new double[] {
                run.flopsPerToken() / run.bytesPerToken(), run.promptFlops() / run.promptBytes()
              },
              new double[] {
                l.utilization().gigaflopsPerSecond(), l.promptUtilization().gigaflopsPerSecond()
              });
      style(series, v);
      series.setLineStyle(new BasicStroke(0.8f));
    }
    return chart;
  }

  private static void line(XYChart chart, String name, BasicStroke stroke, double[] x, double[] y) {
    XYSeries line = chart.addSeries(name, x, y);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(Color.BLACK);
    line.setLineStyle(stroke);
  }

  private XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title + ", " + findings.session().model())
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    var styler = chart.getStyler();
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBorderVisible(false);
    styler.setPlotGridLinesColor(new Color(0xDDDDDD));
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setChartTitleBoxVisible(false);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 18));
    styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    styler.setMarkerSize(11);
    styler.setErrorBarsColor(new Color(0x666666));
    styler.setLocale(Locale.ROOT);
    styler.setDecimalPattern("0.###");
    styler.setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Line);
    return chart;
  }

  private static BasicStroke dashed() {
    return new BasicStroke(
        1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 4}, 0);
  }
}
