package dev.ridgeline.lab.stats;

import java.util.Arrays;
import java.util.Collection;
import java.util.SplittableRandom;
import org.apache.commons.statistics.descriptive.Median;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * A median with its 95 % confidence interval, by bootstrap: the samples are drawn anew with
 * replacement {@value #RESAMPLES} times, and the interval holds the middle 95 % of the medians of
 * these draws (the percentile method of Efron and Tibshirani, 1993, chapter 13). The draws have a
 * fixed seed, so that the same samples give the same interval.
 *
 * @param median the middle sample (the mean of the middle two)
 * @param low lower end of the interval
 * @param high upper end of the interval
 * @param runs samples; with fewer than {@value #FEWEST} the interval says nothing
 */
public record Estimate(double median, double low, double high, int runs) {
  private static final int RESAMPLES = 2000;
  private static final int FEWEST = 3;
  private static final double TAIL = 0.025;

  /** The estimate from {@code samples}, at least one. */
  public static Estimate of(double... samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    var random = new SplittableRandom(1);
    double[] draw = new double[samples.length];
    double[] medians = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      Arrays.setAll(draw, _ -> samples[random.nextInt(samples.length)]);
      medians[i] = median(draw);
    }
    double[] ends = Quantile.withDefaults().evaluate(medians, TAIL, 1 - TAIL);
    return new Estimate(median(samples), ends[0], ends[1], samples.length);
  }

  /** The estimate from {@code samples}, at least one. */
  public static Estimate of(Collection<Double> samples) {
    return of(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static double median(double[] samples) {
    return Median.withDefaults().evaluate(samples);
  }

  /** Whether there are enough runs for the interval to mean something. */
  public boolean hasInterval() {
    return runs >= FEWEST;
  }

  /**
   * Whether this is larger than {@code other} beyond what chance explains: the intervals do not
   * overlap, and both come from enough runs to mean something.
   */
  public boolean isAbove(Estimate other) {
    return hasInterval() && other.hasInterval() && low > other.high;
  }

  /** Whether neither is above the other. */
  public boolean isLike(Estimate other) {
    return !isAbove(other) && !other.isAbove(this);
  }

  /** Half the width of the interval, as a share of the median. */
  public double relative() {
    return (high - low) / 2 / median;
  }
}
