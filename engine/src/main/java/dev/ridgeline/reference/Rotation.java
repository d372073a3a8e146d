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
    double scale = p.magnitude();
    boolean neox = p.layout() == RopeParams.Layout.NEOX;
    int stride = neox ? 1 : 2;
    int distance = neox ? p.dims() / 2 : 1;
    for (int i = 0; i < p.dims() / 2; i++) {
      double theta = position * p.frequency(i, factors == null ? 1 : factors[i]);
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
}
