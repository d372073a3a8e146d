package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.S;

import dev.ridgeline.tensor.DType;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Q3_K, Q6_K, IQ4_XS: {@code x = (d * scale) * level}, d of 256 elements, scale a small signed
 * integer of a sub-block. Found as in {@link AffineSuperBlocks}, without the minimums.
 */
final class SymmetricSuperBlocks extends BatchEncoder {
  private static final int SUPER = 256;

  private final Recipe recipe;
  private final Symmetric fit;

  /** Levels of the scales, the candidates for them, and the best of these. */
  private final float[] ls = new float[LANES];

  private final float[] triedLs = new float[LANES];
  private final float[] bestLs = new float[LANES];
  private final float[] best = new float[LANES];
  private final float[] errors = new float[LANES];
  private final float[] scales = new float[LANES];

  /** d of each lane's super-block. */
  private final float[] d = new float[LANES];

  /**
   * @param subs sub-blocks
   * @param outermost the level of an extreme element
   * @param half scales have the levels {@code -half..half - 1}
   * @param targets where the search takes the extreme element
   * @param rounds how often scales and d are made better in turns; none where scales have 8 bits
   */
  private record Recipe(
      int subs, Levels levels, float outermost, int half, float[] targets, int rounds) {
    static Recipe of(DType type) {
      return switch (type) {
        case Q3_K ->
            new Recipe(
                16,
                new IntegerLevels(4),
                -4,
                32,
                Targets.both(Targets.around(-4, 0.1f, 9), Targets.around(3, 0.1f, 9)),
                2);
        case Q6_K ->
            new Recipe(16, new IntegerLevels(32), -32, 128, Targets.around(-32, 0.1f, 9), 0);
        default -> new Recipe(8, ScaleEncoder.IQ4, -127, 32, ScaleEncoder.IQ4_TARGETS, 2);
      };
    }
  }

  SymmetricSuperBlocks(DType type) {
    this(type, SUPER / Recipe.of(type).subs);
    WarmUp.once(type, new SymmetricSuperBlocks(type, WarmUp.ELEMENTS)::fitRamp);
  }

  private SymmetricSuperBlocks(DType type, int elements) {
    super(type, Recipe.of(type).subs, elements);
    recipe = Recipe.of(type);
    fit = new Symmetric(batch, recipe.levels, recipe.outermost);
  }

  @Override
  void fit() {
    fit.search(recipe.targets, 1);
    for (int lane = 0; lane < LANES; lane += recipe.subs) {
      start(lane, lane + recipe.subs);
    }
    for (int r = 0; r < recipe.rounds; r++) {
      nearby();
      solve();
    }
    set(ls);
    fit.choose(scales);
  }

  /** The largest scale of a super-block takes the level of the largest magnitude. */
  private void start(int from, int to) {
    float extreme = 0;
    for (int l = from; l < to; l++) {
      extreme = Math.abs(fit.scale[l]) > Math.abs(extreme) ? fit.scale[l] : extreme;
    }
    Arrays.fill(d, from, to, Half.round(extreme / -recipe.half));
    for (int l = from; l < to; l++) {
      int level = (int) Math.rint(fit.scale[l] / d[l]); // 0 for NaN (0 / 0)
      ls[l] = Math.clamp(level, -recipe.half, recipe.half - 1);
    }
  }

  private void set(float[] ls) {
    for (int l = 0; l < LANES; l++) {
      scales[l] = d[l] * ls[l];
    }
  }

  /** Each sub-block takes the best of the three levels around its own. */
  private void nearby() {
    Arrays.fill(best, Float.POSITIVE_INFINITY);
    for (int step = -1; step <= 1; step++) {
      for (int l = 0; l < LANES; l += S.length()) {
        step(step, l);
      }
      fit.assess(scales, errors);
      for (int l = 0; l < LANES; l += S.length()) {
        keep(l);
      }
    }
    System.arraycopy(bestLs, 0, ls, 0, LANES);
  }

  private void step(float step, int l) {
    FloatVector s =
        FloatVector.fromArray(S, ls, l).add(step).max(-recipe.half).min(recipe.half - 1f);
    s.intoArray(triedLs, l);
    s.mul(FloatVector.fromArray(S, d, l)).intoArray(scales, l);
  }

  private void keep(int l) {
    FloatVector before = FloatVector.fromArray(S, best, l);
    FloatVector now = FloatVector.fromArray(S, errors, l);
    VectorMask<Float> better = now.compare(VectorOperators.LT, before);
    before.blend(now, better).intoArray(best, l);
    FloatVector.fromArray(S, triedLs, l).intoArray(bestLs, l, better);
  }

  /**
   * {@code d = sum w S x q / sum w S^2 q^2} over a super-block, S the level of a scale; taken where
   * it is better.
   */
  private void solve() {
    set(ls);
    fit.assess(scales, best);
    float[] old = d.clone();
    for (int lane = 0; lane < LANES; lane += recipe.subs) {
      solve(lane, lane + recipe.subs);
    }
    set(ls);
    fit.assess(scales, errors);
    for (int from = 0; from < LANES; from += recipe.subs) {
      double change = 0;
      for (int l = from; l < from + recipe.subs; l++) {
        change += (double) errors[l] - best[l];
      }
      if (!(change < 0)) {
        System.arraycopy(old, from, d, from, recipe.subs);
      }
    }
  }

  private void solve(int from, int to) {
    double xq = 0;
    double qq = 0;
    for (int l = from; l < to; l++) {
      xq += (double) ls[l] * fit.sxq[l];
      qq += (double) ls[l] * ls[l] * fit.sqq[l];
    }
    float solved = Half.round((float) (xq / qq));
    if (qq > 0 && Float.isFinite(solved)) {
      Arrays.fill(d, from, to, solved);
    }
  }

  @Override
  void pack(int lane, byte[] dst, int at) {
    switch (type) {
      case Q3_K -> {
        SuperBlockBits.putThirdBits(batch.q, dst, at);
        SuperBlockBits.putTwoBits(batch.q, dst, at + 32);
        SuperBlockBits.putSixBitScales(ls, dst, at + 96);
        Half.put(dst, at + 108, d[lane]);
      }
      case Q6_K -> {
        SuperBlockBits.putLowNibbles(batch.q, dst, at);
        SuperBlockBits.putHighPairs(batch.q, dst, at + 128);
        for (int l = 0; l < LANES; l++) {
          dst[at + 192 + l] = (byte) ls[l];
        }
        Half.put(dst, at + 208, d[lane]);
      }
      default -> packIq4(lane, dst, at);
    }
  }

  private void packIq4(int lane, byte[] dst, int at) {
    Half.put(dst, at, d[lane]);
    int high = 0;
    for (int j = 0; j < 8; j++) {
      int scale = (int) ls[lane + j] + 32;
      high |= scale >> 4 << (2 * j);
      int kept = j % 2 == 0 ? 0 : dst[at + 4 + j / 2];
      dst[at + 4 + j / 2] = (byte) (kept | (scale & 15) << (4 * (j % 2)));
      SuperBlockBits.putHalves(batch.q, lane + j, dst, at + 8 + 16 * j);
    }
    dst[at + 2] = (byte) high;
    dst[at + 3] = (byte) (high >> 8);
  }
}
