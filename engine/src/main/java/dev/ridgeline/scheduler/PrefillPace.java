package dev.ridgeline.scheduler;

import java.util.function.IntBinaryOperator;

/**
 * How many prompt tokens a step computes beside sequences that are generating: as many as make it
 * the step that computes most tokens in its time, or nearly so, of those that take no longer than
 * {@code maxGap}; but never so few that prompts hardly get on.
 *
 * <p>What steps take is learned from those that ran. Their sizes are told apart by powers of two,
 * where backends change kernels: on an H200 17 to 32 tokens of llama-8b Q4_K_M take 6.7 ms, 33 take
 * 15. Within a size half of the time is taken to grow with the tokens. A size that has not been
 * seen for a while is tried.
 */
final class PrefillPace implements IntBinaryOperator {
  /** Fewer tokens at a time waste most of a step, which reads all weights whatever it computes. */
  static final int LEAST = 16;

  /** Before any step has run. */
  static final int UNKNOWN = 128;

  private static final int SIZES = Integer.SIZE;
  private static final int KEPT_STEPS = 1024;

  /** Of the best rate; where it is had, larger steps let prompts begin to generate sooner. */
  private static final double NEARLY = 0.85;

  /** The first step of a size may compile or record something: slower ones count for less. */
  private static final double WEIGHT_IF_FASTER = 0.5;

  private static final double WEIGHT_IF_SLOWER = 0.25;

  private final long maxGapNanos;
  private final double[] nanos = new double[SIZES];
  private final double[] tokens = new double[SIZES];

  /** The number of the last step of each size; 0 = there was none. */
  private final long[] last = new long[SIZES];

  private long steps;

  PrefillPace(long maxGapNanos) {
    this.maxGapNanos = maxGapNanos;
  }

  /** Numbers of tokens up to {@code 1 << size}, and above those of the size before. */
  private static int size(int n) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(n - 1);
  }

  private boolean isKnown(int size) {
    return last[size] > 0 && steps - last[size] < KEPT_STEPS;
  }

  /** A step of {@code n} tokens took {@code took}. */
  void observe(long took, int n) {
    int size = size(n);
    double weight = 1;
    if (isKnown(size)) {
      weight = took < nanos(n, size) ? WEIGHT_IF_FASTER : WEIGHT_IF_SLOWER;
    }
    nanos[size] += weight * (took - nanos[size]);
    tokens[size] += weight * (n - tokens[size]);
    last[size] = ++steps;
  }

  private double nanos(int n, int size) {
    if (isKnown(size)) {
      return nanos[size] * (1 + n / tokens[size]) / 2;
    }
    int near = nearestKnown(size);
    return nanos[near] * n / tokens[near];
  }

  /** There is one: that of the last step. */
  private int nearestKnown(int size) {
    int distance = 1;
    while (!(size >= distance && isKnown(size - distance))) {
      if (size + distance < SIZES && isKnown(size + distance)) {
        return size + distance;
      }
      distance++;
    }
    return size - distance;
  }

  /** The most tokens of a step of {@code size} that takes no longer than the gap may be. */
  private double mostInGap(int size) {
    if (isKnown(size)) {
      return tokens[size] * (2 * maxGapNanos / nanos[size] - 1);
    }
    return maxGapNanos / nanos(1, size);
  }

  /**
   * How many prompt tokens to compute.
   *
   * @param generating tokens that are in the step anyway
   * @param pending tokens of prompts that wait for it
   */
  @Override
  public int applyAsInt(int generating, int pending) {
    if (steps == 0) {
      return UNKNOWN;
    }
    int all = (int) Math.min((long) generating + Math.max(1, pending), 1 << (SIZES - 2));
    int best = 0;
    double bestRate = 0;
    for (int size = size(generating + 1); size <= size(all); size++) {
      int n = (int) Math.min(Math.min(all, 1 << size), mostInGap(size));
      if (n <= generating || size(n) != size) {
        continue;
      }
      if (!isKnown(size)) {
        return n - generating;
      }
      double rate = n / nanos(n, size);
      if (rate >= NEARLY * bestRate) {
        best = n;
        bestRate = Math.max(rate, bestRate);
      }
    }
    return best == 0 ? LEAST : best - generating;
  }
}
