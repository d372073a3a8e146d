package dev.ridgeline.quantize.block;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Sixteen blocks (or sub-blocks) of {@code n} elements side by side: element i of lane l is at
 * {@code 16 i + l}, so that a vector holds the same element of different blocks and no sum ever
 * crosses lanes.
 */
final class Batch {
  static final int LANES = 16;

  /** At most as many lanes as there are blocks. */
  static final VectorSpecies<Float> S =
      FloatVector.SPECIES_PREFERRED.length() > LANES
          ? FloatVector.SPECIES_512
          : FloatVector.SPECIES_PREFERRED;

  /** Added to a float below 2^22, it leaves the nearest integer in the low bits. */
  static final float ROUNDER = 12582912f;

  static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);

  final int n;
  final float[] x;

  /** What the square of an element's error costs. */
  final float[] w;

  /** {@code w * x}. */
  final float[] wx;

  /** {@code sum w}, {@code sum w x} and {@code sum w x^2} of each lane. */
  final float[] sw = new float[LANES];

  final float[] sx = new float[LANES];
  final float[] sxx = new float[LANES];

  /** Chosen levels, laid out like {@code x}. */
  final int[] q;

  Batch(int n) {
    this.n = n;
    x = new float[n * LANES];
    w = new float[n * LANES];
    wx = new float[n * LANES];
    q = new int[n * LANES];
  }

  /** {@code 1 / v}, and 0 where that is too large for a float. */
  static FloatVector inverse(FloatVector v) {
    FloatVector inverse = FloatVector.broadcast(S, 1).div(v);
    return inverse.blend(0, inverse.test(VectorOperators.IS_FINITE).not());
  }

  /**
   * Takes the {@code count} elements of {@code src} from {@code at} on, at most 16 blocks; blocks
   * that are missing are zeros.
   *
   * @param importance what an error costs beside what the element's size says; null = nothing
   * @throws IllegalArgumentException if sums of their squares overflow
   */
  void load(float[] src, int at, int count, float @Nullable [] importance) {
    if (count < n * LANES) {
      Arrays.fill(x, 0);
      Arrays.fill(w, 0);
    }
    for (int l = 0; l * n < count; l++) {
      int from = at + l * n;
      for (int i = 0; i < n; i++) {
        x[LANES * i + l] = src[from + i];
      }
    }
    if (importance == null) {
      weigh();
    } else {
      weigh(importance, at, count);
    }
    sum();
  }

  /** Takes elements that no block has: for warming up. */
  void loadRamp() {
    for (int i = 0; i < x.length; i++) {
      x[i] = i - x.length * 0.4f;
    }
    weigh();
    sum();
  }

  /** The block's root mean square and the magnitude: large weights matter more. */
  private void weigh() {
    meanSquares(1);
    for (int i = 0; i < w.length; i += LANES) {
      for (int l = 0; l < LANES; l++) {
        w[i + l] = sxx[l] + Math.abs(x[i + l]);
      }
    }
  }

  /** The importance times {@code sqrt(rms^2 + x^2)}: a large weight stands for a large product. */
  private void weigh(float[] importance, int at, int count) {
    for (int l = 0; l * n < count; l++) {
      int from = at + l * n;
      for (int i = 0; i < n; i++) {
        w[LANES * i + l] = importance[from + i];
      }
    }
    meanSquares(2);
    for (int i = 0; i < w.length; i += LANES) {
      for (int l = 0; l < LANES; l++) {
        float rms = sxx[l];
        w[i + l] *= (float) Math.sqrt(rms * rms + x[i + l] * x[i + l]);
      }
    }
  }

  /** Leaves {@code sqrt(factor * mean(x^2))} of each lane in {@code sxx}. */
  private void meanSquares(float factor) {
    Arrays.fill(sxx, 0);
    for (int i = 0; i < x.length; i += LANES) {
      for (int l = 0; l < LANES; l++) {
        sxx[l] += x[i + l] * x[i + l];
      }
    }
    for (int l = 0; l < LANES; l++) {
      sxx[l] = (float) Math.sqrt(sxx[l] * factor / n);
    }
  }

  private void sum() {
    for (int l = 0; l < LANES; l += S.length()) {
      sum(l);
    }
    for (int l = 0; l < LANES; l++) {
      if (!Float.isFinite(sxx[l])) {
        throw new IllegalArgumentException(
            "elements too large for the format: their scale is past 65504");
      }
    }
  }

  private void sum(int lane) {
    FloatVector sumW = FloatVector.zero(S);
    FloatVector sumX = FloatVector.zero(S);
    FloatVector sumXx = FloatVector.zero(S);
    for (int i = lane; i < x.length; i += LANES) {
      FloatVector weight = FloatVector.fromArray(S, w, i);
      FloatVector value = FloatVector.fromArray(S, x, i);
      FloatVector product = weight.mul(value);
      product.intoArray(wx, i);
      sumW = sumW.add(weight);
      sumX = sumX.add(product);
      sumXx = product.fma(value, sumXx);
    }
    sumW.intoArray(sw, lane);
    sumX.intoArray(sx, lane);
    sumXx.intoArray(sxx, lane);
  }
}
