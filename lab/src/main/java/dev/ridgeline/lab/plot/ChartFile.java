package dev.ridgeline.lab.plot;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;

/** Writes a chart as PNG or SVG. */
public final class ChartFile {
  /** Three pixels for each point of the SVG. */
  private static final int DPI = 216;

  private static final Pattern LONG_DECIMALS = Pattern.compile("(\\.\\d\\d)\\d+");

  private ChartFile() {}

  /**
   * Writes {@code chart} to {@code out}.
   *
   * @throws IllegalArgumentException if its name ends neither in .png nor in .svg
   */
  public static void write(XYChart chart, Path out) throws IOException {
    String path = out.toString();
    String lower = path.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".png")) {
      String base = path.substring(0, path.length() - ".png".length());
      BitmapEncoder.saveBitmapWithDPI(chart, base, BitmapEncoder.BitmapFormat.PNG, DPI);
    } else if (lower.endsWith(".svg")) {
      var graphics = new VectorGraphics2D();
      chart.paint(graphics, chart.getWidth(), chart.getHeight());
      var bytes = new ByteArrayOutputStream();
      Processors.get("svg")
          .getDocument(graphics.getCommands(), new PageSize(chart.getWidth(), chart.getHeight()))
          .writeTo(bytes);
      // Letters are outlines to a ten-thousandth of a point: hundredths do, in half the bytes.
      String svg = bytes.toString(StandardCharsets.UTF_8);
      Files.writeString(out, LONG_DECIMALS.matcher(svg).replaceAll("$1"));
    } else {
      throw new IllegalArgumentException(path + ": expected a name that ends in .png or .svg");
    }
  }
}
