package dev.ridgeline.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ActivationPlanTest {
  private static final Capacity CAPACITY = new Capacity(70, 3, 1, 64, 8, List.of(8, 8), KvType.F16);

  private final Graph graph = new TinyModel(DType.F32).graph;
  private final ActivationPlan plan = new ActivationPlan(graph, CAPACITY);

  @Test
  void noValueIsOverwrittenBeforeItsLastReader() {
    Map<Integer, Value> inBuffer = new HashMap<>();
    for (Op op : graph.ops()) {
      for (Value in : op.inputs()) {
        assertThat(inBuffer.get(plan.buffer(in))).as("read by %s", op).isEqualTo(in);
      }
      for (Value out : op.outputs()) {
        assertThat(op.inputs().stream().map(plan::buffer)).doesNotContain(plan.buffer(out));
        inBuffer.put(plan.buffer(out), out);
      }
    }
    assertThat(inBuffer.get(plan.buffer(graph.logits()))).isEqualTo(graph.logits());
  }

  @Test
  void buffersHoldTheirLargestValueAndAreFewerThanValues() {
    for (Value v : graph.values()) {
      assertThat(plan.elements(plan.buffer(v)))
          .isGreaterThanOrEqualTo(ActivationPlan.elements(v, CAPACITY));
    }
    long unshared =
        graph.values().stream().mapToLong(v -> 4 * ActivationPlan.elements(v, CAPACITY)).sum();
    assertThat(plan.buffers()).isLessThan(graph.values().size() / 3);
    assertThat(plan.bytes()).isLessThan(unshared / 3);
  }
}
