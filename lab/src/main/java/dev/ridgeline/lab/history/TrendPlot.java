package dev.ridgeline.lab.history;

import dev.ridgeline.lab.plot.ChartFile;
import dev.ridgeline.lab.stats.Estimate;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;

/** Speed over time: a line for each model, variant, machine and test. */
public final class TrendPlot {
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 600;

  private TrendPlot() {}

  /** More cannot be told apart, and their legend would leave no room for the plot. */
  private static final int MOST_LINES = 8;

  /**
   * Draws {@code entries}, the oldest first, to {@code out}.
   *
   * @throws IllegalArgumentException if it is neither a .png nor a .svg file
   */
  public static void write(List<Entry> entries, Path out) throws IOException {
    ChartFile.write(chart(entries), out);
  }

  private static XYChart chart(List<Entry> entries) {
    Map<String, List<Entry>> lines =
        entries.stream()
            .collect(
                Collectors.groupingBy(TrendPlot::line, LinkedHashMap::new, Collectors.toList()));
    List<String> shown =
        lines.keySet().stream()
            .sorted(
                Comparator.comparing(
                        (String l) -> lines.getOrDefault(l, List.of()).getLast().time())
                    .reversed())
            .limit(MOST_LINES)
            .toList();
    String title =
        shown.size() == lines.size()
            ? "Speed over time"
            : "Speed over time: the newest %d of %d tests (--model narrows them)"
                .formatted(shown.size(), lines.size());
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("time of the measurement")
            .yAxisTitle("tokens per second")
            .build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideS);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xDDDDDD));
    chart.getStyler().setDatePattern("MM-dd HH:mm");
    chart.getStyler().setYAxisMin(0.0);
    shown.forEach(name -> add(chart, name, lines.getOrDefault(name, List.of())));
    return chart;
  }

  private static String line(Entry e) {
    return "%s %s, %s, %s".formatted(e.model(), e.variant(), e.test(), e.setup());
  }

  private static void add(XYChart chart, String name, List<Entry> entries) {
    List<Estimate> speeds = entries.stream().map(Entry::tokensPerSecond).toList();
    XYSeries series =
        chart.addSeries(
            name,
            entries.stream().map(e -> Date.from(e.time())).toList(),
            speeds.stream().map(Estimate::median).toList(),
            speeds.stream().map(s -> (s.high() - s.low()) / 2).toList());
    series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Line);
  }
}
