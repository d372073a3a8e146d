package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.S;

import dev.ridgeline.tensor.DType;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Q2_K, Q4_K, Q5_K: {@code x = (d * scale) * q - (dmin * min)}, d and dmin of 256 elements, scale
 * and min small integers of a sub-block.
 *
 * <p>Each sub-block is fitted on its own. Then scales and minimums are rounded under d and dmin,
 * and made better in turns: each sub-block takes the best of the scales and minimums next to its
 * own, and d and dmin are solved for (least squares, two unknowns) given all the integers.
 */
final class AffineSuperBlocks extends BatchEncoder {
  private static final int SUPER = 256;

  private final Recipe recipe;
  private final Affine fit;

  /** Levels of the scales and of the minimums, the candidates for them, and the best of these. */
  private final float[] ls = new float[LANES];

  private final float[] lm = new float[LANES];
  private final float[] triedLs = new float[LANES];
  private final float[] triedLm = new float[LANES];
  private final float[] bestLs = new float[LANES];
  private final float[] bestLm = new float[LANES];
  private final float[] best = new float[LANES];
  private final float[] errors = new float[LANES];
  private final float[] scales = new float[LANES];
  private final float[] mins = new float[LANES];

  /** d and dmin of each lane's super-block. */
  private final float[] d = new float[LANES];

  private final float[] dmin = new float[LANES];

  /**
   * @param subs sub-blocks
   * @param maxQ largest level of an element
   * @param maxLevel largest level of a scale or minimum
   * @param first where the search begins, in levels beside {@code maxQ}
   * @param count candidates, a tenth of a level apart
   */
  private record Recipe(int subs, int maxQ, int maxLevel, float first, int count) {
    static Recipe of(DType type) {
      return switch (type) {
        case Q2_K -> new Recipe(16, 3, 15, -0.5f, 15);
        case Q4_K -> new Recipe(8, 15, 63, -1, 20);
        default -> new Recipe(8, 31, 63, -0.5f, 15);
      };
    }
  }

  AffineSuperBlocks(DType type) {
    this(type, SUPER / Recipe.of(type).subs);
    WarmUp.once(type, new AffineSuperBlocks(type, WarmUp.ELEMENTS)::fitRamp);
  }

  private AffineSuperBlocks(DType type, int elements) {
    super(type, Recipe.of(type).subs, elements);
    recipe = Recipe.of(type);
    fit = new Affine(batch, recipe.maxQ, false);
  }

  @Override
  void fit() {
    fit.search(recipe.first, 0.1f, recipe.count, 2);
    for (int lane = 0; lane < LANES; lane += recipe.subs) {
      start(lane, lane + recipe.subs);
    }
    nearby();
    solve();
    nearby();
    set(ls, lm);
    fit.choose(scales, mins);
  }

  /** The largest scale and minimum of a super-block take the largest level. */
  private void start(int from, int to) {
    float scale = 0;
    float min = 0;
    for (int l = from; l < to; l++) {
      scale = Math.max(scale, fit.scale[l]);
      min = Math.max(min, fit.min[l]);
    }
    Arrays.fill(d, from, to, Half.round(scale / recipe.maxLevel));
    Arrays.fill(dmin, from, to, Half.round(min / recipe.maxLevel));
    for (int l = from; l < to; l++) {
      ls[l] = level(fit.scale[l] / d[l]);
      lm[l] = level(fit.min[l] / dmin[l]);
    }
  }

  /** The nearest level; 0 for NaN (0 / 0). */
  private float level(float v) {
    return Math.clamp((int) Math.rint(v), 0, recipe.maxLevel);
  }

  private void set(float[] ls, float[] lm) {
    for (int l = 0; l < LANES; l++) {
      scales[l] = d[l] * ls[l];
      mins[l] = dmin[l] * lm[l];
    }
  }

  /** Each sub-block takes the best of the nine pairs of levels around its own. */
  private void nearby() {
    Arrays.fill(best, Float.POSITIVE_INFINITY);
    for (int ds = -1; ds <= 1; ds++) {
      for (int dm = -1; dm <= 1; dm++) {
        for (int l = 0; l < LANES; l += S.length()) {
          step(ds, dm, l);
        }
        fit.assess(scales, mins, errors);
        for (int l = 0; l < LANES; l += S.length()) {
          keep(l);
        }
      }
    }
    System.arraycopy(bestLs, 0, ls, 0, LANES);
    System.arraycopy(bestLm, 0, lm, 0, LANES);
  }

  private void step(float ds, float dm, int l) {
    FloatVector s = FloatVector.fromArray(S, ls, l).add(ds).max(0).min(recipe.maxLevel);
    FloatVector m = FloatVector.fromArray(S, lm, l).add(dm).max(0).min(recipe.maxLevel);
    s.intoArray(triedLs, l);
    m.intoArray(triedLm, l);
    s.mul(FloatVector.fromArray(S, d, l)).intoArray(scales, l);
    m.mul(FloatVector.fromArray(S, dmin, l)).intoArray(mins, l);
  }

  private void keep(int l) {
    FloatVector before = FloatVector.fromArray(S, best, l);
    FloatVector now = FloatVector.fromArray(S, errors, l);
    VectorMask<Float> better = now.compare(VectorOperators.LT, before);
    before.blend(now, better).intoArray(best, l);
    FloatVector.fromArray(S, triedLs, l).intoArray(bestLs, l, better);
    FloatVector.fromArray(S, triedLm, l).intoArray(bestLm, l, better);
  }

  /**
   * Solves for d and dmin of each super-block, and takes them where they are better. With all sums
   * weighted and over a super-block, S the level of a scale and M that of a minimum, the normal
   * equations are {@code d sum S^2 q^2 - dmin sum S M q = sum S x q} and {@code d sum S M q - dmin
   * sum M^2 = sum M x}.
   */
  private void solve() {
    set(ls, lm);
    fit.assess(scales, mins, best);
    float[] oldD = d.clone();
    float[] oldDmin = dmin.clone();
    for (int lane = 0; lane < LANES; lane += recipe.subs) {
      solve(lane, lane + recipe.subs);
    }
    set(ls, lm);
    fit.assess(scales, mins, errors);
    for (int from = 0; from < LANES; from += recipe.subs) {
      double change = 0;
      for (int l = from; l < from + recipe.subs; l++) {
        change += (double) errors[l] - best[l];
      }
      if (!(change < 0)) {
        System.arraycopy(oldD, from, d, from, recipe.subs);
        System.arraycopy(oldDmin, from, dmin, from, recipe.subs);
      }
    }
  }

  private void solve(int from, int to) {
    double qq = 0;
    double q = 0;
    double one = 0;
    double xq = 0;
    double x = 0;
    for (int l = from; l < to; l++) {
      qq += (double) ls[l] * ls[l] * fit.sqq[l];
      q += (double) ls[l] * lm[l] * fit.sq[l];
      one += (double) lm[l] * lm[l] * batch.sw[l];
      xq += (double) ls[l] * fit.sxq[l];
      x += (double) lm[l] * batch.sx[l];
    }
    double determinant = qq * one - q * q;
    if (determinant > 0) {
      Arrays.fill(d, from, to, positive((xq * one - x * q) / determinant, d[from]));
      Arrays.fill(dmin, from, to, positive((xq * q - x * qq) / determinant, dmin[from]));
    } else if (qq > 0) {
      Arrays.fill(d, from, to, positive(xq / qq, d[from]));
    }
  }

  private static float positive(double value, float otherwise) {
    float rounded = Half.round((float) value);
    return rounded > 0 && Float.isFinite(rounded) ? rounded : otherwise;
  }

  @Override
  void pack(int lane, byte[] dst, int at) {
    if (type == DType.Q2_K) {
      Half.put(dst, at + 80, d[lane]);
      Half.put(dst, at + 82, dmin[lane]);
      for (int j = 0; j < 16; j++) {
        dst[at + j] = (byte) ((int) ls[lane + j] | (int) lm[lane + j] << 4);
      }
      SuperBlockBits.putTwoBits(batch.q, dst, at + 16);
      return;
    }
    Half.put(dst, at, d[lane]);
    Half.put(dst, at + 2, dmin[lane]);
    SuperBlockBits.putScalesAndMins(ls, lm, lane, dst, at + 4);
    if (type == DType.Q5_K) {
      SuperBlockBits.putFifthBits(batch.q, lane, dst, at + 16);
      SuperBlockBits.putNibbles(batch.q, lane, dst, at + 48);
    } else {
      SuperBlockBits.putNibbles(batch.q, lane, dst, at + 16);
    }
  }
}
