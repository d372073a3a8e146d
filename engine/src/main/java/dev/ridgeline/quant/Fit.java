package dev.ridgeline.quant;

/** Chooses scales for a small squared error, and the levels nearest to numbers. */
final class Fit {
  /** Candidates tried on each side of the plain scale, a tenth of a level apart. */
  private static final int CANDIDATES = 9;

  private Fit() {}

  /** The integers that a format can multiply a scale by. */
  @FunctionalInterface
  interface Levels {
    /** The level nearest to {@code v}. */
    int nearest(float v);
  }

  /** The integers {@code lo..hi}. */
  static Levels range(int lo, int hi) {
    return v -> nearest(v, lo, hi);
  }

  /**
   * The integer of {@code lo..hi} nearest to {@code v}; for a NaN (0 / 0), the one nearest to 0.
   */
  static int nearest(float v, int lo, int hi) {
    return Math.clamp((long) Math.rint(v), lo, hi);
  }

  /** The signed element of the largest magnitude among {@code x[at .. at + n)}. */
  static float extreme(float[] x, int at, int n) {
    float best = 0;
    for (int i = at; i < at + n; i++) {
      if (Math.abs(x[i]) > Math.abs(best)) {
        best = x[i];
      }
    }
    return best;
  }

  /**
   * The scale d for which {@code sum (x - d * q)^2} is least, q the nearest levels. Tries scales
   * that take the extreme element to about the level {@code outermost}; for each, the best d given
   * its levels is {@code sum(x q) / sum(q^2)}, which leaves {@code sum(x^2) - sum(x q)^2 /
   * sum(q^2)}.
   */
  static float scale(float[] x, int at, int n, int outermost, Levels levels) {
    float extreme = extreme(x, at, n);
    if (extreme == 0) {
      return 0;
    }
    float best = extreme / outermost;
    double bestGain = 0;
    for (int c = -CANDIDATES; c <= CANDIDATES; c++) {
      float inverse = (outermost + 0.1f * c) / extreme;
      double xq = 0;
      double qq = 0;
      for (int i = at; i < at + n; i++) {
        int q = levels.nearest(x[i] * inverse);
        xq += (double) x[i] * q;
        qq += (double) q * q;
      }
      if (qq > 0 && xq * xq / qq > bestGain) {
        bestGain = xq * xq / qq;
        best = (float) (xq / qq);
      }
    }
    return best;
  }

  /** {@code x = scale * q - min}, {@code scale >= 0}, {@code min >= 0}. */
  record Affine(float scale, float min) {}

  /**
   * Scale and minimum for which {@code sum (x - (scale * q - min))^2} is small, q the nearest of
   * {@code 0..max}. Tries scales around {@code (largest - smallest) / max}; for each, the least
   * squares line through its levels.
   */
  static Affine affine(float[] x, int at, int n, int max) {
    float lo = 0;
    float hi = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + n; i++) {
      lo = Math.min(lo, x[i]);
      hi = Math.max(hi, x[i]);
    }
    if (hi <= lo) {
      return new Affine(0, -lo);
    }
    Affine best = new Affine((hi - lo) / max, -lo);
    double bestError = squaredError(x, at, n, max, best);
    for (int c = -CANDIDATES; c <= CANDIDATES; c++) {
      Affine line = line(x, at, n, max, new Affine((hi - lo) / (max + 0.1f * c), -lo));
      double error = squaredError(x, at, n, max, line);
      if (error < bestError) {
        bestError = error;
        best = line;
      }
    }
    return best;
  }

  /** The least squares line through the levels that {@code from} gives; its minimum stays >= 0. */
  private static Affine line(float[] x, int at, int n, int max, Affine from) {
    double sq = 0;
    double sqq = 0;
    double sx = 0;
    double sxq = 0;
    for (int i = at; i < at + n; i++) {
      int q = level(x[i], from, max);
      sq += q;
      sqq += (double) q * q;
      sx += x[i];
      sxq += (double) x[i] * q;
    }
    double determinant = n * sqq - sq * sq;
    if (determinant == 0) {
      return from;
    }
    double scale = (n * sxq - sq * sx) / determinant;
    double min = -(sx - scale * sq) / n;
    if (min < 0) {
      min = 0;
      scale = sxq / sqq;
    }
    return scale < 0 ? from : new Affine((float) scale, (float) min);
  }

  private static double squaredError(float[] x, int at, int n, int max, Affine a) {
    double sum = 0;
    for (int i = at; i < at + n; i++) {
      double error = x[i] - (a.scale * level(x[i], a, max) - a.min);
      sum += error * error;
    }
    return sum;
  }

  private static int level(float x, Affine a, int max) {
    return nearest((x + a.min) / a.scale, 0, max);
  }
}
