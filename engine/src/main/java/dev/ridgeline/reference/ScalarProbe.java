package dev.ridgeline.reference;

import dev.ridgeline.backend.MachineLimits;

/** What one thread of scalar Java code reaches: the best of a few short runs of two plain loops. */
final class ScalarProbe {
  private static final int RUNS = 5;
  private static final int LONGS = 1 << 24;
  private static final int MULTIPLY_ADDS = 1 << 24;

  private ScalarProbe() {}

  static MachineLimits measure() {
    long[] memory = new long[LONGS];
    double readSeconds = Double.POSITIVE_INFINITY;
    double addSeconds = Double.POSITIVE_INFINITY;
    double sink = 0;
    for (int run = 0; run < RUNS; run++) {
      long start = System.nanoTime();
      sink += sum(memory);
      long middle = System.nanoTime();
      sink += multiplyAdd(run);
      long end = System.nanoTime();
      readSeconds = Math.min(readSeconds, (middle - start) / 1e9);
      addSeconds = Math.min(addSeconds, (end - middle) / 1e9);
    }
    if (Double.isNaN(sink)) {
      throw new AssertionError("the probe's sums are finite");
    }
    return new MachineLimits(
        (double) LONGS * Long.BYTES / readSeconds, 2.0 * MULTIPLY_ADDS / addSeconds);
  }

  private static long sum(long[] values) {
    long sum = 0;
    for (long value : values) {
      sum += value;
    }
    return sum;
  }

  /** Four chains, so that the latency of one addition does not hide the rate of many. */
  private static double multiplyAdd(double x) {
    double a = x;
    double b = x + 1;
    double c = x + 2;
    double d = x + 3;
    for (int i = 0; i < MULTIPLY_ADDS / 4; i++) {
      a = a * 0.5 + 1;
      b = b * 0.5 + 1;
      c = c * 0.5 + 1;
      d = d * 0.5 + 1;
    }
    return a + b + c + d;
  }
}
