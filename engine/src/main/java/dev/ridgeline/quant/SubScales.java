package dev.ridgeline.quant;

/**
 * Scales and minimums of the sub-blocks of a 256-element super-block, before they are rounded to a
 * few bits under the super-block's own scale.
 */
final class SubScales {
  private final float[] scales;
  private final float[] mins;
  private final int max;

  private SubScales(float[] scales, float[] mins, int max) {
    this.scales = scales;
    this.mins = mins;
    this.max = max;
  }

  /**
   * Fits {@code x = scale * q - min}, q in {@code 0..maxQ}, to each of {@code n} sub-blocks; levels
   * of scales and minimums will be {@code 0..max}.
   */
  static SubScales affine(float[] x, int at, int n, int maxQ, int max) {
    int size = 256 / n;
    float[] scales = new float[n];
    float[] mins = new float[n];
    for (int j = 0; j < n; j++) {
      Fit.Affine a = Fit.affine(x, at + j * size, size, maxQ);
      scales[j] = a.scale();
      mins[j] = a.min();
    }
    return new SubScales(scales, mins, max);
  }

  /** Fits {@code x = scale * q}, q a level, to each of {@code n} sub-blocks. */
  static float[] symmetric(float[] x, int at, int n, int outermost, Fit.Levels levels) {
    int size = 256 / n;
    float[] scales = new float[n];
    for (int j = 0; j < n; j++) {
      scales[j] = Fit.scale(x, at + j * size, size, outermost, levels);
    }
    return scales;
  }

  /** Scale of the scales: the largest takes the largest level. */
  float d() {
    return Fit.extreme(scales, 0, scales.length) / max;
  }

  /** Scale of the minimums. */
  float dmin() {
    return Fit.extreme(mins, 0, mins.length) / max;
  }

  /** Level of scale j under {@code d} as it was rounded. */
  int scaleLevel(int j, float d) {
    return Fit.nearest(scales[j] / d, 0, max);
  }

  /** Level of minimum j under {@code dmin} as it was rounded. */
  int minLevel(int j, float dmin) {
    return Fit.nearest(mins[j] / dmin, 0, max);
  }
}
