package dev.ridgeline.quantize;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizerTest {
  @TempDir private Path folder = Path.of("");

  private Path source = Path.of("");
  private Path target = Path.of("");

  @BeforeEach
  void writeSource() throws IOException {
    source = folder.resolve("source.gguf");
    target = folder.resolve("target.gguf");
    new Synth("tiny-llama", FileType.F16).write(source, 1);
  }

  private void run(QuantizePlan plan) throws IOException {
    Quantizer.run(source, target, plan, (_, _, _) -> {});
  }

  private static DType typeOf(Quantizer.Result result, String name) {
    return result.tensors().stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow()
        .to();
  }

  @Test
  void theFileIsTheSourceWithOtherTypes() throws IOException {
    run(QuantizePlan.of(FileType.Q4_K_M));

    try (GgufFile from = GgufFile.open(source);
        GgufFile to = GgufFile.open(target)) {
      assertThat(to.tensors().keySet()).containsExactlyElementsOf(from.tensors().keySet());
      assertThat(to.metadata().integer("general.file_type")).isEqualTo(FileType.Q4_K_M.id());
      assertThat(to.metadata().integer("general.quantization_version")).isEqualTo(2);
      assertThat(to.metadata().values().keySet()).containsAll(from.metadata().values().keySet());
      assertThat(to.tensor("blk.0.ffn_up.weight").type()).isEqualTo(DType.Q4_K);
      assertThat(
              to.tensor("blk.0.attn_norm.weight")
                  .data()
                  .mismatch(from.tensor("blk.0.attn_norm.weight").data()))
          .isNegative();
      // Q4_K and better of noise: an error of 7 % of the weights at most.
      TensorErrors.between(from, to)
          .forEach((name, e) -> assertThat(e.relativeRms()).as(name).isLessThan(0.08));
    }
  }

  @Test
  void aDryRunSaysWhatTheRunDoes() throws IOException {
    Quantizer.Result planned = Quantizer.dryRun(source, QuantizePlan.of(FileType.Q3_K_M));
    run(QuantizePlan.of(FileType.Q3_K_M));

    try (GgufFile to = GgufFile.open(target)) {
      for (TensorPlan t : planned.tensors()) {
        assertThat(to.tensor(t.name()).type()).isEqualTo(t.to());
        assertThat(to.tensor(t.name()).data().byteSize()).isEqualTo(t.targetBytes());
      }
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeAByte() throws IOException {
    run(QuantizePlan.of(FileType.Q2_K).withThreads(1));
    Path other = folder.resolve("other.gguf");
    Quantizer.run(source, other, QuantizePlan.of(FileType.Q2_K).withThreads(3), (_, _, _) -> {});

    assertThat(Files.mismatch(target, other)).isEqualTo(-1);
  }

  @Test
  void aQuantizedFileOfEightBitsIsASourceToo() throws IOException {
    run(QuantizePlan.of(FileType.Q8_0));
    Path second = folder.resolve("second.gguf");
    Quantizer.run(target, second, QuantizePlan.of(FileType.Q4_0), (_, _, _) -> {});

    try (GgufFile from = GgufFile.open(source);
        GgufFile to = GgufFile.open(second)) {
      TensorErrors.between(from, to)
          .forEach((name, e) -> assertThat(e.relativeRms()).as(name).isLessThan(0.12));
    }
  }

  @Test
  void otherQuantizedSourcesAreRefusedUnlessAskedFor() throws IOException {
    run(QuantizePlan.of(FileType.Q4_0));
    Path second = folder.resolve("second.gguf");
    QuantizePlan plan = QuantizePlan.of(FileType.Q2_K);

    assertThatThrownBy(() -> Quantizer.run(target, second, plan, (_, _, _) -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is Q4_0 already; expected F32, F16, BF16 or Q8_0");
    Quantizer.run(target, second, plan.withRequantize(true), (_, _, _) -> {});
    assertThat(second).exists();
  }

  @Test
  void theFirstRuleThatMatchesWins() {
    Quantizer.Result result =
        Quantizer.dryRun(
            source,
            QuantizePlan.of(FileType.Q4_0)
                .withRules(
                    List.of(
                        TensorRule.parse("blk\\.0\\.ffn_up=q6_k"),
                        TensorRule.parse("ffn_(up|down)=Q2_K"))));

    assertThat(typeOf(result, "blk.0.ffn_up.weight")).isEqualTo(DType.Q6_K);
    assertThat(typeOf(result, "blk.1.ffn_up.weight")).isEqualTo(DType.Q2_K);
    assertThat(typeOf(result, "blk.1.ffn_gate.weight")).isEqualTo(DType.Q4_0);
    assertThat(typeOf(result, "blk.1.ffn_norm.weight")).isEqualTo(DType.F32);
  }

  @Test
  void theHybridIsAttentionInQ5KAndTheRestOfTheLayersInQ2K() {
    Quantizer.Result result = Quantizer.dryRun(source, QuantizePlan.hybrid());

    for (TensorPlan t : result.tensors()) {
      if (t.name().matches("blk.*attn_(q|k|v|output)\\.weight")) {
        assertThat(t.to()).as(t.name()).isEqualTo(DType.Q5_K);
      } else if (t.name().matches("blk.*ffn_(up|gate|down)\\.weight")) {
        assertThat(t.to()).as(t.name()).isEqualTo(DType.Q2_K);
      }
    }
  }

  @Test
  void rulesThatNothingMatchesAndRulesThatDoNotFitAreRefused() throws IOException {
    assertThatThrownBy(
            () ->
                run(
                    QuantizePlan.of(FileType.Q4_0)
                        .withRules(List.of(TensorRule.parse("attn_x=Q6_K")))))
        .hasMessageContaining("no matrix among its")
        .hasMessageContaining("'attn_x'");
    assertThatThrownBy(() -> TensorRule.parse("attn=Q9_Z"))
        .hasMessageContaining("unknown tensor type 'Q9_Z'; expected one of F32, F16");
    assertThatThrownBy(() -> TensorRule.parse("Q4_K")).hasMessageContaining("REGEX=TYPE");
    assertThatThrownBy(() -> TensorRule.parse("(=Q4_K"))
        .hasMessageContaining("not a regular expression");
    writeOne(DType.F32, Shape.of(96, 4), new float[96 * 4]);
    assertThatThrownBy(
            () ->
                run(
                    QuantizePlan.of(FileType.Q8_0)
                        .withRules(List.of(TensorRule.parse("odd=Q4_K")))))
        .hasMessageContaining("rows of 96 elements; Q4_K needs whole blocks of 256");
    assertThat(target).doesNotExist();
  }

  @Test
  void sourceAndResultMustDiffer() {
    target = source;

    assertThatThrownBy(() -> run(QuantizePlan.of(FileType.Q8_0)))
        .hasMessageContaining("is the source and the result");
  }

  @Test
  void aWeightThatIsNoNumberLeavesNothing() throws IOException {
    float[] x = new float[256 * 300];
    x[256 * 200 + 7] = Float.NaN;
    writeOne(DType.F32, Shape.of(256, 300), x);

    assertThatThrownBy(() -> run(QuantizePlan.of(FileType.Q8_0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tensor 'odd.weight' row 200 column 7 is NaN");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(source);
    }
  }

  @Test
  void aFolderThatIsMissingIsSaidToBe() {
    target = folder.resolve("nowhere").resolve("x.gguf");

    assertThatThrownBy(() -> run(QuantizePlan.of(FileType.Q8_0)))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("nowhere");
  }

  @Test
  void importanceOfAnotherModelIsRefused() {
    var entry = new Importance.Entry(new float[] {1, 2, 3}, new float[] {1});
    var plan =
        QuantizePlan.of(FileType.Q4_K_M)
            .withImportance(
                new Importance(Map.of("blk.0.attn_q.weight", entry), 1, 512, List.of()));

    assertThatThrownBy(() -> run(plan))
        .hasMessageContaining("has 3 columns for 'blk.0.attn_q.weight'")
        .hasMessageContaining("another model");
  }

  @Test
  void importanceSurvivesItsFile() throws IOException {
    var importance =
        new Importance(
            Map.of("a.weight", new Importance.Entry(new float[] {1, 2, 3, 4}, new float[] {7, 8})),
            3,
            512,
            List.of("text.txt"));
    Path file = folder.resolve("imatrix.gguf");

    ImportanceFile.write(importance, file);
    Importance read = ImportanceFile.read(file);

    assertThat(read.chunks()).isEqualTo(3);
    assertThat(read.chunkTokens()).isEqualTo(512);
    assertThat(read.datasets()).containsExactly("text.txt");
    assertThat(requireNonNull(read.entries().get("a.weight")).sumOfSquares())
        .containsExactly(1, 2, 3, 4);
    assertThat(requireNonNull(read.entries().get("a.weight")).means(2, 1))
        .containsExactly(3f / 8, 4f / 8);
  }

  @Test
  void aFileThatIsNoImportanceMatrixIsRefused() throws IOException {
    Path file = folder.resolve("x.dat");
    for (byte[] bytes :
        List.of(
            new byte[0], new byte[] {1, 0, 0}, "some text here".getBytes(StandardCharsets.UTF_8))) {
      Files.write(file, bytes);
      assertThatThrownBy(() -> ImportanceFile.read(file)).hasMessageContaining("importance matrix");
    }
    assertThatThrownBy(() -> ImportanceFile.read(source))
        .hasMessageContaining("not an importance matrix");
  }

  private void writeOne(DType type, Shape shape, float[] x) throws IOException {
    byte[] bytes = new byte[(int) type.bytes(x.length)];
    Quantization.of(type).encode(x, 0, MemorySegment.ofArray(bytes), 0, x.length);
    new GgufWriter(Map.of("general.architecture", new MetadataValue.Text("llama")))
        .tensor(new Tensor("odd.weight", type, shape, MemorySegment.ofArray(bytes)))
        .write(source);
  }
}
