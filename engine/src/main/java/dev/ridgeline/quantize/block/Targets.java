package dev.ridgeline.quantize.block;

import java.util.Arrays;

/** Levels that a search takes the extreme element to. */
final class Targets {
  private Targets() {}

  /** {@code centre} and {@code each} on both sides of it, {@code step} apart. */
  static float[] around(float centre, float step, int each) {
    float[] all = new float[2 * each + 1];
    for (int i = 0; i < all.length; i++) {
      all[i] = centre + step * (i - each);
    }
    return all;
  }

  /** All of {@code a}, then all of {@code b}. */
  static float[] both(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }
}
