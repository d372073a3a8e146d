package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.ROUNDER;
import static dev.ridgeline.quantize.block.Batch.ROUNDER_BITS;
import static dev.ridgeline.quantize.block.Batch.S;

import jdk.incubator.vector.FloatVector;

/**
 * The integers {@code -half..half - 1}.
 *
 * @param half 4, 8, 16, 32 for formats of 3 to 6 bits
 */
record IntegerLevels(int half) implements Levels {
  @Override
  public void sums(Batch batch, float[] inverse, float[] sxq, float[] sqq, int lane) {
    float[] x = batch.x;
    float[] w = batch.w;
    float[] wx = batch.wx;
    int least = ROUNDER_BITS - half;
    int most = ROUNDER_BITS + half - 1;
    FloatVector a = FloatVector.fromArray(S, inverse, lane);
    FloatVector qq = FloatVector.zero(S);
    FloatVector xq = FloatVector.zero(S);
    FloatVector rounder = FloatVector.broadcast(S, ROUNDER);
    for (int i = lane; i < x.length; i += LANES) {
      FloatVector q =
          FloatVector.fromArray(S, x, i)
              .fma(a, rounder)
              .reinterpretAsInts()
              .max(least)
              .min(most)
              .reinterpretAsFloats()
              .sub(rounder);
      qq = FloatVector.fromArray(S, w, i).mul(q).fma(q, qq);
      xq = FloatVector.fromArray(S, wx, i).fma(q, xq);
    }
    qq.intoArray(sqq, lane);
    xq.intoArray(sxq, lane);
  }

  @Override
  public void choose(Batch batch, float[] inverse, int lane) {
    FloatVector a = FloatVector.fromArray(S, inverse, lane);
    FloatVector rounder = FloatVector.broadcast(S, ROUNDER);
    float[] x = batch.x;
    for (int i = lane; i < x.length; i += LANES) {
      FloatVector.fromArray(S, x, i)
          .fma(a, rounder)
          .reinterpretAsInts()
          .max(ROUNDER_BITS - half)
          .min(ROUNDER_BITS + half - 1)
          .sub(ROUNDER_BITS - half)
          .intoArray(batch.q, i);
    }
  }
}
