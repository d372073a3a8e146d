package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;
import static dev.ridgeline.quantize.block.Batch.S;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** The levels of a table, rising. The nearest is found by counting the midpoints below. */
final class TableLevels implements Levels {
  private final float lowest;
  private final float[] midpoints;
  private final float[] steps;

  TableLevels(float... table) {
    lowest = table[0];
    midpoints = new float[table.length - 1];
    steps = new float[table.length - 1];
    for (int k = 0; k < steps.length; k++) {
      midpoints[k] = (table[k] + table[k + 1]) / 2;
      steps[k] = table[k + 1] - table[k];
    }
  }

  @Override
  public void sums(Batch batch, float[] inverse, float[] sxq, float[] sqq, int lane) {
    float[] x = batch.x;
    FloatVector a = FloatVector.fromArray(S, inverse, lane);
    FloatVector qq = FloatVector.zero(S);
    FloatVector xq = FloatVector.zero(S);
    for (int i = lane; i < x.length; i += LANES) {
      FloatVector v = FloatVector.fromArray(S, x, i).mul(a);
      FloatVector q = FloatVector.broadcast(S, lowest);
      for (int k = 0; k < midpoints.length; k++) {
        q = q.add(steps[k], v.compare(VectorOperators.GT, midpoints[k]));
      }
      qq = FloatVector.fromArray(S, batch.w, i).mul(q).fma(q, qq);
      xq = FloatVector.fromArray(S, batch.wx, i).fma(q, xq);
    }
    qq.intoArray(sqq, lane);
    xq.intoArray(sxq, lane);
  }

  @Override
  public void choose(Batch batch, float[] inverse, int lane) {
    float[] x = batch.x;
    FloatVector a = FloatVector.fromArray(S, inverse, lane);
    for (int i = lane; i < x.length; i += LANES) {
      FloatVector v = FloatVector.fromArray(S, x, i).mul(a);
      FloatVector q = FloatVector.zero(S);
      for (float midpoint : midpoints) {
        q = q.add(1, v.compare(VectorOperators.GT, midpoint));
      }
      ((IntVector) q.convertShape(VectorOperators.F2I, S.withLanes(int.class), 0))
          .intoArray(batch.q, i);
    }
  }
}
