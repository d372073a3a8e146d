package dev.ridgeline.scheduler;

/**
 * How many prompt tokens a step may compute beside sequences that are generating, so that their
 * next token is not late: as many as fit into {@code maxGap} at the speed of the last steps, but
 * never so few that prompts hardly get on.
 */
final class PrefillPace {
  /** Fewer tokens at a time waste most of a step, which reads all weights whatever it computes. */
  static final int LEAST = 16;

  private static final int UNKNOWN = 128;
  private static final double WEIGHT_OF_LAST = 0.5;

  private final long maxGapNanos;
  private double nanosPerToken;

  PrefillPace(long maxGapNanos) {
    this.maxGapNanos = maxGapNanos;
  }

  /** A step of {@code tokens} tokens took {@code nanos}. */
  void observe(long nanos, int tokens) {
    if (tokens >= LEAST) {
      double now = (double) nanos / tokens;
      nanosPerToken =
          nanosPerToken == 0 ? now : nanosPerToken + WEIGHT_OF_LAST * (now - nanosPerToken);
    }
  }

  int tokens() {
    if (nanosPerToken == 0) {
      return UNKNOWN;
    }
    return (int) Math.clamp(maxGapNanos / nanosPerToken, LEAST, Integer.MAX_VALUE);
  }
}
