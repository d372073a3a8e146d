package dev.ridgeline.lab;

import org.apache.commons.statistics.descriptive.DoubleStatistics;
import org.apache.commons.statistics.descriptive.Median;
import org.apache.commons.statistics.descriptive.Statistic;

/**
 * Repeated measurements of one quantity.
 *
 * @param median the middle one (the mean of the middle two)
 * @param low the smallest
 * @param high the largest
 */
public record Spread(double median, double low, double high) {
  /** The spread of {@code samples}, at least one. */
  public static Spread of(double[] samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    DoubleStatistics extremes =
        DoubleStatistics.of(java.util.EnumSet.of(Statistic.MIN, Statistic.MAX), samples);
    return new Spread(
        Median.withDefaults().evaluate(samples),
        extremes.getAsDouble(Statistic.MIN),
        extremes.getAsDouble(Statistic.MAX));
  }

  /** Half of the range, as a share of the median. */
  public double relative() {
    return (high - low) / 2 / median;
  }
}
