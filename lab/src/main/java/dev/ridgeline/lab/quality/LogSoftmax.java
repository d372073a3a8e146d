package dev.ridgeline.lab.quality;

import dev.ridgeline.sampler.Exp;

/** Natural logarithms of probabilities from logits. */
final class LogSoftmax {
  private LogSoftmax() {}

  /** {@code ln sum exp(logits)}. */
  static double logSumExp(float[] logits, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, logits[i]);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Exp.exp((double) logits[i] - max);
    }
    return max + Math.log(sum);
  }
}
