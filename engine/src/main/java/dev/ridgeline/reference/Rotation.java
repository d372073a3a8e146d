package dev.ridgeline.reference;

import dev.ridgeline.graph.RopeParams;
import org.jspecify.annotations.Nullable;

/** Rotates one row of heads in place, as {@link RopeParams} says. */
final class Rotation {
  private Rotation() {}

  /**
   * Rotates {@code x[at .. at + width)}.
   *
   * @param factors divisors of the frequencies, or null
   */
  static void rotate(
      float[] x, int at, int width, int position, RopeParams p, float @Nullable [] factors) {
    double scale = magnitude(p);
    boolean neox = p.layout() == RopeParams.Layout.NEOX;
    int stride = neox ? 1 : 2;
    int distance = neox ? p.dims() / 2 : 1;
    for (int i = 0; i < p.dims() / 2; i++) {
      double theta = theta(p, i, position, factors == null ? 1 : factors[i]);
      double cos = Math.cos(theta) * scale;
      double sin = Math.sin(theta) * scale;
      for (int head = at; head < at + width; head += p.headDim()) {
        int first = head + i * stride;
        int second = first + distance;
        double a = x[first];
        double b = x[second];
        x[first] = (float) (a * cos - b * sin);
        x[second] = (float) (a * sin + b * cos);
      }
    }
  }

  private static double theta(RopeParams p, int i, int position, double factor) {
    double e = position * Math.pow(p.freqBase(), -2.0 * i / p.dims()) / factor;
    if (p.extFactor() == 0) {
      return e * p.freqScale();
    }
    double low = Math.max(0, Math.floor(correctionDim(p, p.betaFast())));
    double high = Math.min(p.dims() - 1, Math.ceil(correctionDim(p, p.betaSlow())));
    double mix = p.extFactor() * (1 - Math.clamp((i - low) / Math.max(0.001, high - low), 0, 1));
    return e * p.freqScale() * (1 - mix) + e * mix;
  }

  private static double correctionDim(RopeParams p, double rotations) {
    double wavelengths = p.originalContext() / (2 * Math.PI * rotations);
    return p.dims() * Math.log(wavelengths) / (2 * Math.log(p.freqBase()));
  }

  private static double magnitude(RopeParams p) {
    double yarn = p.extFactor() == 0 ? 1 : 1 + 0.1 * Math.log(1.0 / p.freqScale());
    return p.attnFactor() * yarn;
  }
}
