package dev.ridgeline.lab.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A straight line through points, robust against outliers: its slope is the median of the slopes
 * between all pairs of points (Theil 1950, Sen 1968).
 *
 * @param slope rise for each unit of x
 * @param intercept the line at x = 0: the median of {@code y - slope x}
 */
public record Trend(double slope, double intercept) {
  /** The line through {@code (x[i], y[i])}, at least two points with different x. */
  public static Trend of(double[] x, double[] y) {
    List<Double> slopes = new ArrayList<>();
    for (int i = 0; i < x.length; i++) {
      for (int j = i + 1; j < x.length; j++) {
        if (x[i] != x[j]) {
          slopes.add((y[j] - y[i]) / (x[j] - x[i]));
        }
      }
    }
    if (slopes.isEmpty()) {
      throw new IllegalArgumentException("a trend needs two points with different x");
    }
    double slope = Estimate.of(slopes).median();
    double[] rest = new double[x.length];
    Arrays.setAll(rest, i -> y[i] - slope * x[i]);
    return new Trend(slope, Estimate.of(rest).median());
  }
}
