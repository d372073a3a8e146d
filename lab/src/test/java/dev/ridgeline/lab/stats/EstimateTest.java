package dev.ridgeline.lab.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EstimateTest {
  /**
   * The median of five draws is the smallest sample if three of them are: with probability 0.058,
   * more than the 0.025 that the interval cuts off, so that it reaches to the ends.
   */
  @Test
  void theIntervalOfFiveSamplesReachesFromTheSmallestToTheLargest() {
    Estimate e = Estimate.of(10, 14, 11, 13, 12);

    assertThat(e).isEqualTo(new Estimate(12, 10, 14, 5));
  }

  /**
   * The 95 % interval of the median of 100 samples by order statistics (binomial, n = 100, p = 1/2)
   * is from the 40th to the 61st; the bootstrap's ends have a standard error of under 1 rank.
   */
  @Test
  void theIntervalOfAHundredSamplesIsThatOfTheOrderStatistics() {
    Estimate e = Estimate.of(IntStream.rangeClosed(1, 100).asDoubleStream().toArray());

    assertThat(e.median()).isEqualTo(50.5);
    assertThat(e.low()).isBetween(37.0, 43.0);
    assertThat(e.high()).isBetween(58.0, 64.0);
  }

  @Test
  void theSameSamplesGiveTheSameInterval() {
    assertThat(Estimate.of(3, 1, 4, 1, 5, 9)).isEqualTo(Estimate.of(3, 1, 4, 1, 5, 9));
  }

  @Test
  void oneIsAboveTheOtherOnlyWhereTheIntervalsDoNotOverlap() {
    assertThat(Estimate.of(20, 21, 22).isAbove(Estimate.of(10, 11, 12))).isTrue();
    assertThat(Estimate.of(20, 21, 22).isAbove(Estimate.of(19, 20, 21))).isFalse();
    assertThat(Estimate.of(20, 21, 22).isLike(Estimate.of(19, 20, 21))).isTrue();
  }

  @Test
  void twoRunsSayNothing() {
    assertThat(Estimate.of(20, 21).isAbove(Estimate.of(10, 11))).isFalse();
  }

  @Test
  void noSamplesAreRefused() {
    assertThatThrownBy(Estimate::of).hasMessage("no samples");
  }

  @Test
  void percentilesAreValuesThatWereMeasured() {
    double[] values = IntStream.rangeClosed(1, 100).mapToDouble(i -> 101 - i).toArray();

    assertThat(Percentiles.of(values)).isEqualTo(new Percentiles(50, 95, 99, 100));
    assertThat(Percentiles.of(7)).isEqualTo(new Percentiles(7, 7, 7, 7));
  }

  @Test
  void aTrendIsTheLineThroughItsPointsWhateverOneOutlierDoes() {
    double[] x = {0, 1, 2, 3, 4, 5, 6};
    double[] y = {1, 3, 5, 7, 900, 11, 13};

    assertThat(Trend.of(x, y)).isEqualTo(new Trend(2, 1));
    assertThatThrownBy(() -> Trend.of(new double[] {1, 1}, new double[] {2, 3}))
        .hasMessageContaining("different x");
  }
}
