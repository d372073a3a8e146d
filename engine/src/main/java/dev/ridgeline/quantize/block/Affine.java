package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.ROUNDER;
import static dev.ridgeline.quantize.block.Batch.ROUNDER_BITS;
import static dev.ridgeline.quantize.block.Batch.S;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Fits {@code x = scale * q - min}, q in {@code 0..maxQ}, to each lane of a batch.
 *
 * <p>For given levels q the weighted squared error is least for the line through the points (q, x),
 * from the sums of w, w q, w q^2, w x and w x q. So a search tries inverse scales around {@code
 * maxQ / (largest - smallest)}; each gives levels, the levels a line, the line an error; then the
 * best line gives levels again (Lloyd's alternation), which never makes it worse.
 *
 * <p>Kernels are short and take the lane as their last argument: C2 keeps vectors in registers only
 * where it inlines everything.
 */
final class Affine {
  private final Batch batch;
  private final int maxQ;
  private final boolean minIsFree;

  /** The fits found, and their errors with the levels that they were fitted to. */
  final float[] scale = new float[LANES];

  final float[] min = new float[LANES];
  final float[] error = new float[LANES];

  /** Of the last levels: {@code sum w q}, {@code sum w q^2}, {@code sum w x q}. */
  final float[] sq = new float[LANES];

  final float[] sqq = new float[LANES];
  final float[] sxq = new float[LANES];

  private final float[] lowest = new float[LANES];
  private final float[] inverseRange = new float[LANES];
  private final float[] inverse = new float[LANES];
  private final float[] offset = new float[LANES];

  /**
   * @param minIsFree whether min may be negative
   */
  Affine(Batch batch, int maxQ, boolean minIsFree) {
    this.batch = batch;
    this.maxQ = maxQ;
    this.minIsFree = minIsFree;
  }

  /**
   * Searches {@code count} inverse scales that take the range to {@code maxQ + first}, {@code maxQ
   * + first + step}, ...; then alternates {@code rounds} times.
   */
  void search(float first, float step, int count, int rounds) {
    for (int l = 0; l < LANES; l += S.length()) {
      start(l);
      for (int c = 0; c < count; c++) {
        aim(maxQ + first + step * c, l);
        sums(l);
        improve(l);
      }
      for (int r = 0; r < rounds; r++) {
        under(scale, min, l);
        sums(l);
        improve(l);
      }
    }
  }

  /**
   * Smallest and largest element; the plain scale between them as the first fit, which stays where
   * no line can be had (all levels alike, all weights 0).
   */
  private void start(int l) {
    float[] x = batch.x;
    FloatVector lo = FloatVector.fromArray(S, x, l);
    FloatVector hi = lo;
    for (int i = l + LANES; i < x.length; i += LANES) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      lo = lo.min(v);
      hi = hi.max(v);
    }
    lo = minIsFree ? lo : lo.min(0);
    lo.intoArray(lowest, l);
    lo.neg().intoArray(min, l);
    FloatVector range = hi.sub(lo);
    Batch.inverse(range).intoArray(inverseRange, l);
    range.div(maxQ).intoArray(scale, l);
    FloatVector.broadcast(S, Float.POSITIVE_INFINITY).intoArray(error, l);
  }

  /** The range shall become {@code levels}. */
  private void aim(float levels, int l) {
    FloatVector a = FloatVector.fromArray(S, inverseRange, l).mul(levels);
    a.intoArray(inverse, l);
    FloatVector.fromArray(S, lowest, l).mul(a).neg().intoArray(offset, l);
  }

  /** The levels shall be those nearest under these scales and minimums. */
  private void under(float[] scales, float[] mins, int l) {
    FloatVector a = Batch.inverse(FloatVector.fromArray(S, scales, l));
    a.intoArray(inverse, l);
    FloatVector.fromArray(S, mins, l).mul(a).intoArray(offset, l);
  }

  private void sums(int l) {
    sums(batch.x, batch.w, batch.wx, ROUNDER_BITS + maxQ, l);
  }

  private void sums(float[] x, float[] w, float[] wx, int most, int l) {
    FloatVector a = FloatVector.fromArray(S, inverse, l);
    FloatVector b = FloatVector.fromArray(S, offset, l);
    FloatVector q1 = FloatVector.zero(S);
    FloatVector q2 = FloatVector.zero(S);
    FloatVector xq = FloatVector.zero(S);
    for (int i = l; i < x.length; i += LANES) {
      FloatVector q =
          FloatVector.fromArray(S, x, i)
              .fma(a, b)
              .add(ROUNDER)
              .reinterpretAsInts()
              .max(ROUNDER_BITS)
              .min(most)
              .reinterpretAsFloats()
              .sub(ROUNDER);
      FloatVector wq = FloatVector.fromArray(S, w, i).mul(q);
      q1 = q1.add(wq);
      q2 = wq.fma(q, q2);
      xq = FloatVector.fromArray(S, wx, i).fma(q, xq);
    }
    q1.intoArray(sq, l);
    q2.intoArray(sqq, l);
    xq.intoArray(sxq, l);
  }

  /** Takes the best lines of the last sums where they are better than what was found before. */
  private void improve(int l) {
    FloatVector sw = FloatVector.fromArray(S, batch.sw, l);
    FloatVector sx = FloatVector.fromArray(S, batch.sx, l);
    FloatVector q1 = FloatVector.fromArray(S, sq, l);
    FloatVector q2 = FloatVector.fromArray(S, sqq, l);
    FloatVector xq = FloatVector.fromArray(S, sxq, l);
    FloatVector determinant = sw.mul(q2).sub(q1.mul(q1));
    FloatVector slope = sw.mul(xq).sub(sx.mul(q1)).div(determinant);
    FloatVector low = q2.mul(sx).sub(q1.mul(xq)).div(determinant);
    if (!minIsFree) {
      VectorMask<Float> above = low.compare(VectorOperators.GT, 0);
      low = low.blend(0, above);
      slope = slope.blend(xq.div(q2), above);
    }
    keep(slope, low.neg(), determinant.compare(VectorOperators.GT, 0), l);
  }

  private void keep(FloatVector slope, FloatVector m, VectorMask<Float> valid, int l) {
    FloatVector e = error(slope, m, l);
    FloatVector best = FloatVector.fromArray(S, error, l);
    VectorMask<Float> better = e.compare(VectorOperators.LT, best).and(valid);
    best.blend(e, better).intoArray(error, l);
    FloatVector.fromArray(S, scale, l).blend(slope, better).intoArray(scale, l);
    FloatVector.fromArray(S, min, l).blend(m, better).intoArray(min, l);
  }

  /** {@code sum w (x - slope q + m)^2} from the last sums. */
  private FloatVector error(FloatVector slope, FloatVector m, int l) {
    FloatVector q1 = FloatVector.fromArray(S, sq, l);
    FloatVector q2 = FloatVector.fromArray(S, sqq, l);
    FloatVector xq = FloatVector.fromArray(S, sxq, l);
    FloatVector sw = FloatVector.fromArray(S, batch.sw, l);
    FloatVector sx = FloatVector.fromArray(S, batch.sx, l);
    FloatVector withSlope = slope.mul(slope.mul(q2).sub(xq.add(xq)));
    FloatVector cross = sx.sub(slope.mul(q1));
    FloatVector withMin = m.mul(m.mul(sw).add(cross.add(cross)));
    return FloatVector.fromArray(S, batch.sxx, l).add(withSlope).add(withMin);
  }

  /** Errors, and sums, of the levels nearest under these scales and minimums. */
  void assess(float[] scales, float[] mins, float[] errors) {
    for (int l = 0; l < LANES; l += S.length()) {
      under(scales, mins, l);
      sums(l);
      error(scales, mins, errors, l);
    }
  }

  private void error(float[] scales, float[] mins, float[] errors, int l) {
    error(FloatVector.fromArray(S, scales, l), FloatVector.fromArray(S, mins, l), l)
        .intoArray(errors, l);
  }

  /** Leaves the levels nearest under these scales and minimums in the batch. */
  void choose(float[] scales, float[] mins) {
    for (int l = 0; l < LANES; l += S.length()) {
      under(scales, mins, l);
      choose(batch.x, ROUNDER_BITS + maxQ, l);
    }
  }

  private void choose(float[] x, int most, int l) {
    FloatVector a = FloatVector.fromArray(S, inverse, l);
    FloatVector b = FloatVector.fromArray(S, offset, l);
    for (int i = l; i < x.length; i += LANES) {
      FloatVector.fromArray(S, x, i)
          .fma(a, b)
          .add(ROUNDER)
          .reinterpretAsInts()
          .max(ROUNDER_BITS)
          .min(most)
          .sub(ROUNDER_BITS)
          .intoArray(batch.q, i);
    }
  }
}
