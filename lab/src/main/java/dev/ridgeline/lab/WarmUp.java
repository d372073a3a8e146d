package dev.ridgeline.lab;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * Runs something until its last {@value #RUNS} runs agree, so that compilation, caches and clocks
 * have settled before anything counts.
 *
 * @param seconds how long it took
 * @param steady whether the runs agreed in the end
 */
public record WarmUp(double seconds, boolean steady) {
  private static final double SHARE = 0.03;
  private static final int RUNS = 3;

  /**
   * Calls {@code run}, which returns its own seconds, until the last three calls lie within 3 % of
   * each other or {@code limitSeconds} have passed, at least once unless the limit is 0.
   */
  public static WarmUp until(double limitSeconds, DoubleSupplier run) {
    long start = System.nanoTime();
    List<Double> recent = new ArrayList<>();
    boolean steady = false;
    while (!steady && secondsSince(start) < limitSeconds) {
      recent.add(run.getAsDouble());
      steady = agree(recent);
    }
    return new WarmUp(secondsSince(start), steady);
  }

  static boolean agree(List<Double> seconds) {
    if (seconds.size() < RUNS) {
      return false;
    }
    List<Double> last = seconds.subList(seconds.size() - RUNS, seconds.size());
    return Collections.max(last) - Collections.min(last) <= SHARE * Collections.max(last);
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
