package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Value.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExpertsTest {
  @ParameterizedTest
  @EnumSource
  void theLargestLogitsWinByFallingLogitAndTiesGoToTheLowerId(Routing routing) {
    float[] logits = {1, 3, -2, 3, 2, -9, 4, 4, 4, 4};
    float[] out = route(logits, 5, 3, routing);
    assertThat(new float[] {out[0], out[1], out[2]}).containsExactly(1, 3, 4);
    assertThat(new float[] {out[6], out[7], out[8]}).containsExactly(1, 2, 3);
  }

  @Test
  void normedSoftmaxIsTheSoftmaxOverAllDividedByTheSumOfTheChosen() {
    float[] logits = {0.3f, -1.2f, 2.2f, 0.9f, -0.4f};
    float[] out = route(logits, 5, 2, Routing.SOFTMAX_NORMED);
    double all = 0;
    for (float l : logits) {
      all += Math.exp(l);
    }
    double first = Math.exp(logits[2]) / all;
    double second = Math.exp(logits[3]) / all;
    assertThat((double) out[2]).isEqualTo(first / (first + second), within(1e-7));
    assertThat((double) out[3]).isEqualTo(second / (first + second), within(1e-7));
  }

  @ParameterizedTest
  @EnumSource
  void weightsSumToOneHoweverLargeTheLogits(Routing routing) {
    float[] out = route(new float[] {3e4f, 2e4f, -3e4f, 3e4f}, 4, 3, routing);
    assertThat(out).containsExactly(0, 3, 1, 0.5f, 0.5f, 0);
  }

  @Test
  void theSumWeighsEachExpertsPart() {
    float[] x = {1, 2, 3, 10, 20, 30};
    float[] route = {4, 0, 0.25f, 0.5f};
    float[] out = new float[3];
    var op = new Op.ExpertSum(value(6), value(4), value(3));
    Experts.sum(op, x, route, out, 1);
    assertThat(out).containsExactly(5.25f, 10.5f, 15.75f);
  }

  private static float[] route(float[] logits, int experts, int k, Routing routing) {
    int rows = logits.length / experts;
    float[] out = new float[rows * 2 * k];
    Experts.route(new Op.Route(value(experts), k, routing, value(2 * k)), logits, out, rows);
    return out;
  }

  private static Value value(int width) {
    return new Value(0, "value", width, Rows.TOKENS);
  }
}
