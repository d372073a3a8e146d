package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelTest {
  /** A file that claims tensors of any size and holds no byte of them. */
  private static final class Sketch {
    final Map<String, MetadataValue> metadata;
    final Map<String, Tensor> tensors = new LinkedHashMap<>();

    Sketch(String shape) {
      var synth = new Synth(shape, FileType.F16);
      metadata = new LinkedHashMap<>(synth.metadata());
      synth.tensors().forEach(t -> put(t.name(), synth.typeOf(t), t.shape()));
    }

    void put(String name, DType type, Shape shape) {
      var nothing = MemorySegment.NULL.reinterpret(type.bytes(shape.elements()));
      tensors.put(name, new Tensor(name, type, shape, nothing));
    }

    Sketch set(String key, long value) {
      metadata.put(key, new MetadataValue.Int(MetadataType.INT64, value));
      return this;
    }

    Model read(int context) {
      return Model.read(new Metadata("model.gguf", metadata), tensors, context);
    }

    void assertRefused(String message) {
      assertThatThrownBy(() -> read(0))
          .isInstanceOf(GgufException.class)
          .hasMessage("model.gguf: " + message);
    }
  }

  static Stream<String> shapes() {
    return Synth.shapes().stream();
  }

  private static <T extends Op> List<T> ops(Graph graph, Class<T> type) {
    return graph.ops().stream().filter(type::isInstance).map(type::cast).toList();
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void everyReleasedShapeGivesAGraphThatUsesEachOfItsTensors(String shape) {
    var sketch = new Sketch(shape);
    Model model = sketch.read(0);
    var used =
        model.graph().ops().stream().flatMap(op -> op.weights().stream()).map(Weight::tensor);
    assertThat(model.graph().logits().width()).isEqualTo(model.vocabularySize());
    assertThat(model.graph().kvLayers()).hasSize(model.hyperparameters().blockCount());
    assertThat(used.distinct().toList())
        .containsAll(
            sketch.tensors.keySet().stream().filter(n -> !n.startsWith("rope_factors")).toList());
  }

  @Test
  void anUnknownArchitectureIsRefusedWithTheListOfKnownOnes() {
    var sketch = new Sketch("tiny-llama");
    sketch.metadata.put("general.architecture", new MetadataValue.Text("mamba"));
    sketch.assertRefused(
        "architecture 'mamba' is not known; known are llama, qwen2, qwen3, qwen3moe, gemma2,"
            + " gemma3, phi3, granite, gpt-oss");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "block_count | 0 | 1 to 30",
        "block_count | 1000000000 | 1 to 30",
        "embedding_length | -1 | 1 to 1048576",
        "feed_forward_length | 0 | 1 to 16777216",
        "context_length | 0 | 1 to 2147483647",
        "attention.head_count | 0 | 1 to 4096",
        "attention.head_count | 1000000000000 | 1 to 4096",
        "attention.head_count_kv | 3 | a divisor of head_count 4",
        "attention.key_length | 0 | 1 to 16384",
        "attention.value_length | -64 | 1 to 16384",
        "attention.layer_norm_rms_epsilon | -1.0 | a finite number above 0",
        "attention.layer_norm_rms_epsilon | 0.0 | a finite number above 0",
        "rope.dimension_count | 63 | an even number",
        "rope.dimension_count | 128 | 1 to 64",
        "rope.freq_base | -10000.0 | a finite number above 0",
        "rope.scaling.factor | -2.0 | a finite number above 0",
        "rope.scaling.attn_factor | -1.19 | a finite number above 0",
        "rope.scaling.original_context_length | 0 | 1 to 2147483647",
        "expert_count | -1 | 0 to 16384",
        "attention.sliding_window | -5 | 0 to 2147483647",
      })
  void aHyperparameterThatMakesNoSenseIsRefused(String key, String value, String expected) {
    var sketch = new Sketch("tiny-llama");
    sketch.metadata.put(
        "llama." + key,
        value.matches("-?\\d+")
            ? new MetadataValue.Int(MetadataType.INT64, Long.parseLong(value))
            : new MetadataValue.Real(MetadataType.FLOAT32, Double.parseDouble(value)));
    sketch.assertRefused(
        "metadata key 'llama.%s' is %s; expected %s".formatted(key, value, expected));
  }

  static Stream<String> tinyShapes() {
    return shapes().filter(s -> s.startsWith("tiny-"));
  }

  @ParameterizedTest
  @MethodSource("tinyShapes")
  void anyHyperparameterIsEitherUsedOrRefusedByName(String shape) {
    var sound = new Sketch(shape);
    for (String key : List.copyOf(sound.metadata.keySet())) {
      MetadataValue right = sound.metadata.get(key);
      for (MetadataValue wrong : wrongValues()) {
        sound.metadata.put(key, wrong);
        try {
          sound.read(0);
        } catch (GgufException refusal) {
          assertThat(refusal).hasMessageStartingWith("model.gguf: ").hasMessageNotContaining("\n");
        }
      }
      sound.metadata.put(key, right);
    }
    assertThat(sound.read(0)).isNotNull();
  }

  private static List<MetadataValue> wrongValues() {
    var integers = LongStream.of(-1, 0, 1, 3, 5, 1 << 20, Integer.MAX_VALUE, 1L << 32, 1L << 62);
    var reals = DoubleStream.of(-1, 0, 1e-45, 3e38, 1e300, Double.NaN, Double.POSITIVE_INFINITY);
    return Stream.of(
            integers.mapToObj(i -> new MetadataValue.Int(MetadataType.INT64, i)),
            reals.mapToObj(r -> new MetadataValue.Real(MetadataType.FLOAT64, r)),
            Stream.of(
                new MetadataValue.Text("nonsense"),
                new MetadataValue.Bool(true),
                new MetadataValue.Bools(new boolean[0]),
                new MetadataValue.Texts(List.of())))
        .<MetadataValue>flatMap(values -> values)
        .toList();
  }

  @Test
  void anUnknownRopeScalingIsRefused() {
    var sketch = new Sketch("tiny-llama");
    sketch.metadata.put("llama.rope.scaling.type", new MetadataValue.Text("spiral"));
    sketch.assertRefused(
        "metadata key 'llama.rope.scaling.type' is 'spiral'; expected none, linear, yarn or"
            + " longrope");
  }

  @Test
  void moreExpertsUsedThanThereAreIsRefused() {
    new Sketch("tiny-mixtral")
        .set("llama.expert_used_count", 5)
        .assertRefused("metadata key 'llama.expert_used_count' is 5; expected 1 to 4");
  }

  @Test
  void expertsWithoutACountAreRefused() {
    new Sketch("tiny-qwen3moe")
        .set("qwen3moe.expert_count", 0)
        .assertRefused("metadata key 'qwen3moe.expert_count' is 0; expected 1 or more");
  }

  @Test
  void headsThatDoNotDivideTheEmbeddingNeedALength() {
    var sketch = new Sketch("tiny-llama").set("llama.attention.head_count", 6);
    sketch.metadata.remove("llama.attention.key_length");
    sketch.metadata.remove("llama.attention.head_count_kv");
    sketch.assertRefused(
        "metadata key 'llama.attention.head_count' is 6; expected a divisor of embedding_length"
            + " 256");
  }

  @Test
  void aMissingTensorIsNamed() {
    var sketch = new Sketch("tiny-qwen3");
    sketch.tensors.remove("blk.1.attn_q_norm.weight");
    sketch.assertRefused("tensor 'blk.1.attn_q_norm.weight' is missing");
  }

  @Test
  void aTensorOfAnotherShapeIsNamedWithBothShapes() {
    var sketch = new Sketch("tiny-llama");
    sketch.put("blk.0.ffn_up.weight", DType.F16, Shape.of(512, 256));
    sketch.assertRefused("tensor 'blk.0.ffn_up.weight' has shape [512, 256]; expected [256, 512]");
  }

  @Test
  void aMatrixOfIntegersAndANormThatIsNotFloat32AreRefused() {
    var sketch = new Sketch("tiny-llama");
    sketch.put("blk.0.ffn_up.weight", DType.I32, Shape.of(256, 512));
    sketch.assertRefused("tensor 'blk.0.ffn_up.weight' has type I32; expected a type of weights");
    var norm = new Sketch("tiny-llama");
    norm.put("output_norm.weight", DType.F16, Shape.of(256));
    norm.assertRefused("tensor 'output_norm.weight' has type F16; expected F32");
  }

  @Test
  void aTensorThatTheArchitectureDoesNotUseIsRefused() {
    var sketch = new Sketch("tiny-llama");
    sketch.put("blk.0.attn_q_norm.weight", DType.F32, Shape.of(64));
    sketch.assertRefused(
        "tensor 'blk.0.attn_q_norm.weight' is not part of architecture 'llama' as it is known"
            + " here; results without it would be wrong");
  }

  @Test
  void expertsInTensorsOfTheirOwnAreRefusedWithAdvice() {
    var sketch = new Sketch("tiny-mixtral");
    sketch.put("blk.0.ffn_gate.0.weight", DType.F16, Shape.of(256, 512));
    sketch.assertRefused(
        "tensor 'blk.0.ffn_gate.0.weight' holds one expert, a layout given up in 2024; convert the"
            + " model again to stack its experts in 'ffn_gate_exps'");
  }

  @Test
  void aVocabularyOfAnotherSizeThanTheEmbeddingIsRefused() {
    var sketch = new Sketch("tiny-llama");
    sketch.metadata.put("tokenizer.ggml.tokens", new MetadataValue.Texts(List.of("a", "b", "c")));
    sketch.assertRefused("tensor 'token_embd.weight' has 512 rows; the tokenizer has 3 tokens");
  }

  @Test
  void theOutputMatrixIsTheEmbeddingWhereTheFileHasNoOther() {
    Op.MatMul tied = ops(new Sketch("tiny-llama-3").read(0).graph(), Op.MatMul.class).getLast();
    Op.MatMul own = ops(new Sketch("tiny-llama").read(0).graph(), Op.MatMul.class).getLast();
    assertThat(tied.weights()).extracting(Weight::tensor).containsExactly("token_embd.weight");
    assertThat(own.weights()).extracting(Weight::tensor).containsExactly("output.weight");
  }

  @Test
  void fusedTensorsAreReadAsBandsOfRows() {
    Graph graph = new Sketch("tiny-phi3-long").read(0).graph();
    var bands =
        graph.ops().stream()
            .flatMap(op -> op.weights().stream())
            .filter(w -> w.tensor().matches("blk\\.1\\.(attn_qkv|ffn_up)\\.weight"));
    assertThat(bands.map(w -> w.firstRow() + "+" + w.rows()).toList())
        .containsExactly("0+256", "256+128", "384+128", "0+512", "512+512");
  }

  @Test
  void longRopeChoosesItsFactorsByTheContextItWillRunWith() {
    assertThat(ropeFactors(4096)).containsOnly("rope_factors_short.weight");
    assertThat(ropeFactors(4097)).containsOnly("rope_factors_long.weight");
    assertThat(ropeFactors(0)).containsOnly("rope_factors_long.weight");
  }

  private static List<String> ropeFactors(int context) {
    Graph graph = new Sketch("phi3-mini-128k").read(context).graph();
    return ops(graph, Op.Rope.class).stream().map(r -> r.weights().getFirst().tensor()).toList();
  }

  @Test
  void windowsFollowTheArchitecturesPattern() {
    assertThat(windows("gemma2-2b").subList(0, 4)).containsExactly(4096, 0, 4096, 0);
    assertThat(windows("gemma3-1b").subList(0, 7)).containsExactly(512, 512, 512, 512, 512, 0, 512);
    assertThat(windows("gpt-oss-20b").subList(0, 4)).containsExactly(128, 0, 128, 0);
    assertThat(windows("phi3-mini")).containsOnly(2047);
    assertThat(windows("llama-8b")).containsOnly(0);
  }

  private static List<Integer> windows(String shape) {
    return new Sketch(shape).read(0).graph().kvLayers().stream().map(KvLayer::window).toList();
  }

  @Test
  void aFileMayGiveTheWindowsPatternAsAPeriodOrAsFlags() {
    var sketch = new Sketch("tiny-gemma3").set("gemma3.attention.sliding_window_pattern", 3);
    assertThat(sketch.read(0).graph().kvLayers())
        .extracting(KvLayer::window)
        .containsExactly(16, 16, 0, 16, 16, 0, 16);
    boolean[] flags = {false, true, true, false, false, false, true};
    sketch.metadata.put("gemma3.attention.sliding_window_pattern", new MetadataValue.Bools(flags));
    assertThat(sketch.read(0).graph().kvLayers())
        .extracting(KvLayer::window)
        .containsExactly(0, 16, 16, 0, 0, 0, 16);
    sketch.metadata.put(
        "gemma3.attention.sliding_window_pattern", new MetadataValue.Bools(new boolean[6]));
    sketch.assertRefused(
        "metadata key 'gemma3.attention.sliding_window_pattern' is 6 flags; expected 7, one for"
            + " each layer");
  }

  @Test
  void gemmasLargestModelsScaleScoresByTheirEmbedding() {
    assertThat(scoreScale("gemma2-27b")).isEqualTo((float) (1 / Math.sqrt(4608 / 32)));
    assertThat(scoreScale("gemma3-27b")).isEqualTo((float) (1 / Math.sqrt(5376 / 32)));
    assertThat(scoreScale("gemma3-12b")).isEqualTo((float) (1 / Math.sqrt(256)));
  }

  private static float scoreScale(String shape) {
    return ops(new Sketch(shape).read(0).graph(), Op.Attention.class).getFirst().scale();
  }

  @Test
  void onlyTheRowsWhoseLogitsAreWantedLeaveTheLastAttention() {
    Graph graph = new Sketch("tiny-llama").read(0).graph();
    assertThat(ops(graph, Op.SelectOutputs.class)).hasSize(2);
    assertThat(graph.ops().indexOf(ops(graph, Op.SelectOutputs.class).getFirst()))
        .isEqualTo(graph.ops().indexOf(ops(graph, Op.Attention.class).getLast()) + 1);
  }
}
