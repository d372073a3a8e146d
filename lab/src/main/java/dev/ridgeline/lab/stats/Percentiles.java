package dev.ridgeline.lab.stats;

import java.util.Arrays;
import org.apache.commons.statistics.descriptive.Quantile;

/**
 * Percentiles of raw values, without classes or smoothing: of n sorted values the one at rank
 * {@code ceil(p n)} (Hyndman and Fan's first definition), so that each is a value that was
 * measured.
 *
 * @param p50 half of the values are at most this
 * @param p95 95 % are
 * @param p99 99 % are
 * @param max the largest
 */
public record Percentiles(double p50, double p95, double p99, double max) {
  /** The percentiles of {@code values}, at least one, in any order. */
  public static Percentiles of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no values");
    }
    double[] q =
        Quantile.withDefaults()
            .with(Quantile.EstimationMethod.HF1)
            .evaluate(values.clone(), 0.50, 0.95, 0.99);
    return new Percentiles(q[0], q[1], q[2], Arrays.stream(values).max().orElseThrow());
  }
}
