package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.S;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Fits {@code x = scale * level}, the levels those of a format, to each lane of a batch.
 *
 * <p>For given levels q the best scale is {@code sum w x q / sum w q^2}, which explains {@code (sum
 * w x q)^2 / sum w q^2} of {@code sum w x^2}. So a search tries inverse scales that take the
 * extreme element to about the outermost levels; each gives levels and the levels a scale; then the
 * best scale gives levels again.
 */
final class Symmetric {
  private final Batch batch;
  private final Levels levels;
  private final float outermost;

  /** The fits found. */
  final float[] scale = new float[LANES];

  /** Signed, the element of the largest magnitude. */
  final float[] extreme = new float[LANES];

  /** Of the last levels: {@code sum w q^2}, {@code sum w x q}. */
  final float[] sqq = new float[LANES];

  final float[] sxq = new float[LANES];

  private final float[] explained = new float[LANES];
  private final float[] inverse = new float[LANES];

  /**
   * @param outermost the level that the extreme element has where nothing better is found
   */
  Symmetric(Batch batch, Levels levels, float outermost) {
    this.batch = batch;
    this.levels = levels;
    this.outermost = outermost;
  }

  /** Searches the scales that take the extreme to each of {@code targets}; then alternates. */
  void search(float[] targets, int rounds) {
    for (int l = 0; l < LANES; l += S.length()) {
      start(batch.x, outermost, l);
      for (float target : targets) {
        aim(target, l);
        levels.sums(batch, inverse, sxq, sqq, l);
        improve(l);
      }
      for (int r = 0; r < rounds; r++) {
        under(scale, l);
        levels.sums(batch, inverse, sxq, sqq, l);
        improve(l);
      }
    }
  }

  private void start(float[] x, float outermost, int l) {
    FloatVector most = FloatVector.fromArray(S, x, l);
    for (int i = l + LANES; i < x.length; i += LANES) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      most = most.blend(v, v.abs().compare(VectorOperators.GT, most.abs()));
    }
    most.intoArray(extreme, l);
    most.div(outermost).intoArray(scale, l);
    FloatVector.zero(S).intoArray(explained, l);
  }

  /** The extreme shall become {@code target}. */
  private void aim(float target, int l) {
    Batch.inverse(FloatVector.fromArray(S, extreme, l)).mul(target).intoArray(inverse, l);
  }

  /** The levels shall be those nearest under these scales. */
  private void under(float[] scales, int l) {
    Batch.inverse(FloatVector.fromArray(S, scales, l)).intoArray(inverse, l);
  }

  /** Takes the best scales for the last levels where they are better than those before. */
  private void improve(int l) {
    FloatVector xq = FloatVector.fromArray(S, sxq, l);
    FloatVector fit = xq.div(FloatVector.fromArray(S, sqq, l));
    FloatVector now = fit.mul(xq);
    FloatVector before = FloatVector.fromArray(S, explained, l);
    VectorMask<Float> better = now.compare(VectorOperators.GT, before);
    before.blend(now, better).intoArray(explained, l);
    FloatVector.fromArray(S, scale, l).blend(fit, better).intoArray(scale, l);
  }

  /** Errors, and sums, of the levels nearest under these scales. */
  void assess(float[] scales, float[] errors) {
    for (int l = 0; l < LANES; l += S.length()) {
      under(scales, l);
      levels.sums(batch, inverse, sxq, sqq, l);
      error(scales, errors, l);
    }
  }

  private void error(float[] scales, float[] errors, int l) {
    FloatVector s = FloatVector.fromArray(S, scales, l);
    FloatVector xq = FloatVector.fromArray(S, sxq, l);
    FloatVector with = s.mul(s.mul(FloatVector.fromArray(S, sqq, l)).sub(xq.add(xq)));
    FloatVector.fromArray(S, batch.sxx, l).add(with).intoArray(errors, l);
  }

  /** Leaves the levels nearest under these scales in the batch. */
  void choose(float[] scales) {
    for (int l = 0; l < LANES; l += S.length()) {
      under(scales, l);
      levels.choose(batch, inverse, l);
    }
  }
}
