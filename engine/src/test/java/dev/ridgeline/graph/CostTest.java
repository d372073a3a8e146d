package dev.ridgeline.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.graph.Cost.Workload;
import dev.ridgeline.graph.Value.Rows;
import dev.ridgeline.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

class CostTest {
  private static final Workload DECODE = Workload.of(1, 99, DType.F16);

  private static Value tokens(int id, int width) {
    return new Value(id, "v" + id, width, Rows.TOKENS);
  }

  @Test
  void aProductReadsItsWeightOnceHoweverManyTokensUseIt() {
    var op =
        new Op.MatMul(
            tokens(0, 256),
            List.of(new Op.Product(new Weight("w", DType.Q4_K, 256, 512), null, tokens(1, 512))));
    assertThat(Cost.of(op, DECODE))
        .isEqualTo(new Cost(2L * 256 * 512, 2L * 256 * 512, 144 * 512, 0, 0, 4 * (256 + 512)));
    Cost prompt = Cost.of(op, Workload.of(64, 0, DType.F16));
    assertThat(prompt.flops()).isEqualTo(64L * 2 * 256 * 512);
    assertThat(prompt.weightBytes()).isEqualTo(144 * 512);
  }

  @Test
  void attentionReadsEveryPositionOnceAndMultipliesEveryVisiblePair() {
    var layer = new KvLayer(0, 2, 64, 32, 0);
    var op = new Op.Attention(tokens(0, 512), layer, 8, 1, 0, null, tokens(1, 256));
    Cost decode = Cost.of(op, DECODE);
    assertThat(decode.kvReadBytes()).isEqualTo(100L * 2 * (64 + 32) * 2);
    assertThat(decode.flops()).isEqualTo(100L * 8 * (2 * 64 + 2 * 32 + 3));
    Cost prompt = Cost.of(op, Workload.of(4, 10, DType.F16));
    assertThat(prompt.kvReadBytes()).isEqualTo(14L * 2 * (64 + 32) * 2);
    assertThat(prompt.flops()).isEqualTo((11L + 12 + 13 + 14) * 8 * (2 * 64 + 2 * 32 + 3));
  }

  @Test
  void aWindowBoundsWhatAttentionReads() {
    var layer = new KvLayer(0, 1, 64, 64, 16);
    var op = new Op.Attention(tokens(0, 64), layer, 1, 1, 0, null, tokens(1, 64));
    assertThat(Cost.of(op, DECODE).kvReadBytes()).isEqualTo(16L * 128 * 2);
    // 4 tokens behind 99 others: their windows begin at 84, 85, 86 and 87 and end at 102.
    assertThat(Cost.of(op, Workload.of(4, 99, DType.F16)).kvReadBytes()).isEqualTo(19L * 128 * 2);
  }

  @Test
  void aQuantizedCacheCountsItsBlocks() {
    var layer = new KvLayer(0, 2, 64, 64, 0);
    var store = new Op.StoreKv(tokens(0, 128), tokens(1, 128), layer);
    assertThat(Cost.of(store, new Workload(3, 5, 3, 0, DType.Q8_0)).kvWrittenBytes())
        .isEqualTo(3L * 5 * 2 * 2 * 68);
  }

  @Test
  void expertsCountOnlyWhereUsed() {
    var weight = new Weight("w", DType.F16, 32, 64, 0, 8);
    var op = new Op.ExpertMatMul(tokens(0, 32), tokens(1, 4), weight, null, tokens(2, 128));
    Cost one = Cost.of(op, DECODE);
    assertThat(one.flops()).isEqualTo(2L * 2 * 32 * 64);
    assertThat(one.weightBytes()).isEqualTo(2L * 32 * 64 * 2);
    // Two rows touch 2 + 2 experts less the expected 4/8 that both chose.
    Cost two = Cost.of(op, Workload.of(2, 0, DType.F16));
    assertThat(two.weightBytes()).isEqualTo(3584L * 4);
    assertThat(Cost.of(op, Workload.of(1000, 0, DType.F16)).weightBytes())
        .isEqualTo(weight.bytes());
  }

  @Test
  void anEmbeddingReadsARowForEachToken() {
    var op = new Op.Embed(new Weight("table", DType.Q8_0, 64, 1000), 1, tokens(0, 64));
    assertThat(Cost.of(op, new Workload(2, 3, 0, 0, DType.F16)).weightBytes()).isEqualTo(6 * 68);
  }

  @Test
  void rowsWithoutWantedLogitsCostNothingBehindTheSelection() {
    var b = new GraphBuilder();
    Value x = b.embed("x", new Weight("table", DType.F32, 8, 10), 1);
    Value rows = b.selectOutputs("rows", x);
    Graph graph = b.build(b.matMul("out", rows, new Weight("out", DType.F32, 8, 10), null));
    Cost all = Cost.of(graph, new Workload(1, 7, 2, 0, DType.F16));
    assertThat(all.flops()).isEqualTo(7 * 8 + 2 * (2 * 8 * 10));
    assertThat(all.memoryBytes()).isEqualTo(7 * 8 * 4 + 8 * 10 * 4);
  }

  @Test
  void aStepThatDoesNothingIsRefused() {
    assertThatThrownBy(() -> new Workload(0, 1, 1, 0, DType.F16))
        .hasMessage("step of 0 sequences with 1 tokens, 1 outputs, at depth 0");
  }
}
