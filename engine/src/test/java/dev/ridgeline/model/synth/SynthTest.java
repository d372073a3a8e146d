package dev.ridgeline.model.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.Model;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.testing.ModelRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SynthTest {
  @TempDir Path folder;

  /** Parameters as published; the counts show that no tensor is missing or misshapen. */
  @ParameterizedTest
  @CsvSource({
    "llama-7b, 6738415616",
    "llama-13b, 13015864320",
    "llama-1b, 1235814400",
    "llama-3b, 3212749824",
    "llama-8b, 8030261248",
    "llama-70b, 70553706496",
    "mistral-7b, 7248023552",
    "mixtral-8x7b, 46702792704",
    "qwen2-0.5b, 494032768",
    "qwen2-7b, 7615616512",
    "qwen3-0.6b, 596049920",
    "qwen3-4b, 4022468096",
    "qwen3-8b, 8190735360",
    "qwen3-30b-a3b, 30532122624",
    "gemma2-2b, 2614341888",
    "gemma2-9b, 9241705984",
    "gemma2-27b, 27227128320",
    "gemma3-270m, 268098176",
    "gemma3-1b, 999885952",
    "gemma3-4b, 3880099328",
    "gemma3-12b, 11765788416",
    "gemma3-27b, 27009002240",
    "phi3-mini, 3821079552",
    "phi4, 14659507200",
    "granite-2b, 2533531648",
    "gpt-oss-20b, 20914757184",
    "gpt-oss-120b, 116829156672",
  })
  void aReleasedShapeHasAsManyParametersAsTheReleasedModel(String shape, long parameters) {
    long elements =
        new Synth(shape, FileType.F16)
            .tensors().stream()
                .filter(t -> !t.name().startsWith("rope_"))
                .mapToLong(t -> t.shape().elements())
                .sum();
    assertThat(elements).isEqualTo(parameters);
  }

  static Stream<DType> weightTypes() {
    return Arrays.stream(DType.values()).filter(DType::isWeight);
  }

  /**
   * Of 2^18 elements: the mean of independent ones errs by 0.002 deviations, but those of a K block
   * share their scale, so that only some 16,000 are independent. Deviations err by a third of that.
   */
  @ParameterizedTest
  @MethodSource("weightTypes")
  void blocksDecodeToTheWantedDeviationAroundZero(DType type) {
    int n = 1 << 18;
    float[] values = new float[n];
    var row = MemorySegment.ofArray(new byte[(int) type.bytes(n)]);
    RandomBlocks.fill(type, row, 42, 0.02f);
    Quantization.of(type).decode(row, 0, values, 0, n);
    double sum = 0;
    double squares = 0;
    for (float v : values) {
      sum += v;
      squares += (double) v * v;
    }
    assertThat(sum / n).isCloseTo(0, within(0.02 * 0.05));
    assertThat(Math.sqrt(squares / n)).isCloseTo(0.02, within(0.02 * 0.02));
  }

  @Test
  void bytesOfQ8NeverHoldTheLevelThatNoEncoderEmits() {
    var row = MemorySegment.ofArray(new byte[34 * 4096]);
    RandomBlocks.fill(DType.Q8_0, row, 1, 1);
    for (int block = 0; block < 4096; block++) {
      byte[] levels = new byte[32];
      MemorySegment.copy(row, block * 34L + 2, MemorySegment.ofArray(levels), 0, 32);
      assertThat(levels).doesNotContain((byte) -128);
    }
  }

  @ParameterizedTest
  @EnumSource(FileType.class)
  void aModelOfEveryMixIsReadAndAnswersWithFiniteLogits(FileType type) throws IOException {
    Path path = folder.resolve("model.gguf");
    new Synth("tiny-gpt-oss", type).write(path, 1);
    try (var run = new ModelRun(path, "reference", 16, graph -> graph)) {
      float[] logits = run.append(5, 6, 7);
      for (float logit : logits) {
        assertThat(logit).isFinite();
      }
      assertThat(ModelRun.logSumExp(logits)).isBetween(5.0, 30.0);
    }
  }

  @Test
  void anotherSeedGivesOtherWeightsAndTheSameHeader() throws IOException {
    var synth = new Synth("tiny-llama", FileType.Q4_K_M);
    Path one = folder.resolve("1.gguf");
    Path two = folder.resolve("2.gguf");
    synth.write(one, 1);
    synth.write(two, 2);
    assertThat(Files.size(one)).isEqualTo(Files.size(two));
    try (var first = GgufFile.open(one);
        var second = GgufFile.open(two)) {
      assertThat(first.tensors().keySet()).isEqualTo(second.tensors().keySet());
      for (String name : first.tensors().keySet()) {
        assertThat(first.tensor(name).data().mismatch(second.tensor(name).data())).isNotEqualTo(-1);
      }
      assertThat(first.tensors().values().stream().mapToLong(t -> t.data().byteSize()).sum())
          .isEqualTo(synth.bytes());
      assertThat(Model.read(first.metadata(), first.tensors()).name())
          .isEqualTo("synthetic tiny-llama Q4_K_M");
    }
  }

  @Test
  void noTwoRowsAreAlike() throws IOException {
    Path path = folder.resolve("model.gguf");
    new Synth("tiny-llama", FileType.Q8_0).write(path, 1);
    try (var file = GgufFile.open(path)) {
      Tensor tensor = file.tensor("blk.0.ffn_up.weight");
      long rows = tensor.shape().rows();
      var first = tensor.data().asSlice(0, tensor.rowBytes());
      for (long row = 1; row < rows; row++) {
        var other = tensor.data().asSlice(row * tensor.rowBytes(), tensor.rowBytes());
        assertThat(first.mismatch(other)).isNotEqualTo(-1);
      }
    }
  }

  @Test
  void anUnknownShapeIsRefusedWithTheListOfKnownOnes() {
    assertThatThrownBy(() -> new Synth("llama-9b", FileType.F16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("there is no shape 'llama-9b'; there are tiny-llama, ");
  }
}
