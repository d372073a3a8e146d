package dev.ridgeline.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.graph.Value.Rows;
import dev.ridgeline.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

class FusionTest {
  private final GraphBuilder b = new GraphBuilder();
  private final Value x = b.embed("x", matrix("table", 8, 10), 1);

  private static Weight matrix(String name, int cols, int rows) {
    return new Weight(name, DType.F32, cols, rows);
  }

  private Value product(String name) {
    return b.matMul(name, x, matrix(name, 8, 8), null);
  }

  private List<Op> fused(Value logits) {
    return Fusion.fuse(b.build(logits)).ops();
  }

  @Test
  void productsOfOneInputBecomeOneOp() {
    Value q = product("q");
    Value scaled = b.scale("scaled", q, 2);
    Value k = b.matMul("k", x, matrix("k", 8, 4), new Weight("bias", DType.F32, 4, 1));
    Value other = b.matMul("other", scaled, matrix("other", 8, 4), null);
    List<Op> ops = fused(b.add("sum", k, other, 1));
    assertThat(ops).hasSize(5);
    assertThat(((Op.MatMul) ops.get(1)).products())
        .extracting(Op.Product::out)
        .containsExactly(q, k);
    assertThat(ops.get(3).outputs()).containsExactly(other);
  }

  @Test
  void gateAndUpBecomeOneOpWithTheirActivation() {
    Value gate = product("gate");
    Value up = product("up");
    Value q = product("q");
    Value act = b.gate("act", gate, up, Activation.GELU_TANH);
    List<Op> ops = fused(b.add("sum", act, q, 1));
    assertThat(ops).hasSize(4);
    assertThat(ops.get(1).outputs()).containsExactly(q);
    assertThat(ops.get(2))
        .isEqualTo(
            new Op.GatedMatMul(
                x, matrix("gate", 8, 8), matrix("up", 8, 8), Activation.GELU_TANH, act));
  }

  @Test
  void aGateStaysWhereOneOfItsOperandsIsReadElsewhere() {
    Value gate = product("gate");
    Value act = b.gate("act", gate, product("up"), Activation.SILU);
    assertThat(fused(b.add("sum", act, gate, 1))).anyMatch(Op.Gate.class::isInstance);
  }

  @Test
  void aGateStaysWhereOneOfItsOperandsIsTheResult() {
    Value gate = product("gate");
    b.gate("act", gate, product("up"), Activation.SILU);
    assertThat(fused(gate)).anyMatch(Op.Gate.class::isInstance);
  }

  @Test
  void aGateStaysWhereAnOperandHasABias() {
    Value gate = b.matMul("gate", x, matrix("gate", 8, 8), new Weight("bias", DType.F32, 8, 1));
    Value act = b.gate("act", gate, product("up"), Activation.SILU);
    assertThat(fused(act)).anyMatch(Op.Gate.class::isInstance);
  }

  @Test
  void aGateStaysWhereItsOperandsAreProductsOfDifferentInputs() {
    Value y = b.scale("y", x, 2);
    Value up = b.matMul("up", y, matrix("up", 8, 8), null);
    assertThat(fused(b.gate("act", product("gate"), up, Activation.SILU)))
        .anyMatch(Op.Gate.class::isInstance);
  }

  @Test
  void anAddAndTheNormOfItsSumBecomeOneOp() {
    Value sum = b.add("sum", x, product("branch"), 0.5f);
    Value norm = b.rmsNorm("norm", sum, matrix("norm", 8, 1), 1e-6f);
    List<Op> ops = fused(b.add("next", sum, norm, 1));
    assertThat(ops.get(2))
        .isEqualTo(
            new Op.AddRmsNorm(
                x, product0(ops.get(1)), 0.5f, matrix("norm", 8, 1), 1e-6f, sum, norm));
    assertThat(ops).noneMatch(Op.RmsNorm.class::isInstance);
  }

  private static Value product0(Op op) {
    return op.outputs().getFirst();
  }

  @Test
  void aNormOfEachHeadStaysApart() {
    Value sum = b.add("sum", x, product("branch"), 1);
    assertThat(fused(b.rmsNorm("norm", sum, matrix("norm", 4, 1), 1e-6f)))
        .anyMatch(Op.RmsNorm.class::isInstance);
  }

  @Test
  void onlyOneNormJoinsASum() {
    Value sum = b.add("sum", x, product("branch"), 1);
    Value first = b.rmsNorm("first", sum, matrix("first", 8, 1), 1e-6f);
    Value second = b.rmsNorm("second", sum, matrix("second", 8, 1), 1e-6f);
    List<Op> ops = fused(b.add("both", first, second, 1));
    assertThat(ops).filteredOn(Op.AddRmsNorm.class::isInstance).hasSize(1);
    assertThat(ops).filteredOn(Op.RmsNorm.class::isInstance).hasSize(1);
  }

  @Test
  void aSumThatNobodyElseReadsAndAProductThatNobodyReadsAreKept() {
    Value unread = product("unread");
    Value sum = b.add("sum", x, product("branch"), 1);
    Value norm = b.rmsNorm("norm", sum, matrix("norm", 8, 1), 1e-6f);
    List<Op> ops = fused(norm);
    assertThat(ops).anySatisfy(op -> assertThat(op.outputs()).contains(unread));
    assertThat(ops).anySatisfy(op -> assertThat(op.outputs()).containsExactly(sum, norm));
  }

  @Test
  void fusingTwiceChangesNothing() {
    Value q = product("q");
    Value act = b.gate("act", product("gate"), product("up"), Activation.SILU);
    Value sum = b.add("sum", act, q, 1);
    Graph once = Fusion.fuse(b.build(b.rmsNorm("norm", sum, matrix("norm", 8, 1), 1e-6f)));
    assertThat(Fusion.fuse(once)).isEqualTo(once);
  }

  @Test
  void aValueKeepsItsId() {
    Value act = b.gate("act", product("gate"), product("up"), Activation.SILU);
    Graph graph = b.build(act);
    assertThat(Fusion.fuse(graph).values()).isEqualTo(graph.values());
  }

  @Test
  void rowsOfOutputsFuseToo() {
    Value rows = b.selectOutputs("rows", x);
    Value branch = b.matMul("branch", rows, matrix("branch", 8, 8), null);
    Value sum = b.add("sum", rows, branch, 1);
    Value norm = b.rmsNorm("norm", sum, matrix("norm", 8, 1), 1e-6f);
    assertThat(norm.rows()).isEqualTo(Rows.OUTPUTS);
    assertThat(fused(norm).getLast()).isInstanceOf(Op.AddRmsNorm.class);
  }
}
