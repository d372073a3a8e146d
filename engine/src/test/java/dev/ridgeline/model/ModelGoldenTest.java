package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.testing.ModelRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every architecture gives the probabilities that the reference engine gave. */
class ModelGoldenTest {
  private static final int CONTEXT = 80;

  @TempDir static Path folder;

  static Stream<Arguments> casesOnBackends() {
    return ModelRun.backends().stream()
        .flatMap(b -> GoldenCase.ALL.stream().map(c -> Arguments.of(c, b)));
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("casesOnBackends")
  void logProbabilitiesEqualTheReferenceEngines(GoldenCase golden, String backend)
      throws IOException {
    GoldenFixture fixture = GoldenFixture.read(golden.name());
    boolean exact = golden.type() == FileType.F32 || backend.equals("reference");
    try (var run = new ModelRun(golden.model(folder), backend, CONTEXT, Fusion::fuse)) {
      for (var prompt : fixture.prompts()) {
        run.clear();
        float[] logits = run.append(prompt.ids());
        assertThat(prompt.worstDifference(logits))
            .as("after %d ids", prompt.ids().length)
            .isCloseTo(
                0, within(exact ? GoldenFixture.FLOAT16_KV : GoldenFixture.INT8_ACTIVATIONS));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theSameSeedGivesTheSameFile(GoldenCase golden) throws IOException {
    assertThat(GoldenCase.sha256(golden.model(folder)))
        .isEqualTo(GoldenFixture.read(golden.name()).sha256());
  }

  static Stream<GoldenCase> cases() {
    return GoldenCase.ALL.stream();
  }

  /**
   * Shows that the fixtures see each of these: without it, they differ by far more than allowed.
   */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama-3,      rope_freqs.weight,                            -",
    "tiny-llama-linear, llama.rope.scaling.factor,                    1.0",
    "tiny-llama-yarn,   llama.rope.scaling.type,                      linear",
    "tiny-llama-yarn,   llama.rope.scaling.original_context_length,   512",
    "tiny-mixtral,      llama.expert_used_count,                      1",
    "tiny-qwen2,        blk.2.attn_k.bias,                            -",
    "tiny-gemma2,       gemma2.attention.sliding_window,              4096",
    "tiny-gemma2,       gemma2.attn_logit_softcapping,                50.0",
    "tiny-gemma2,       gemma2.final_logit_softcapping,               30.0",
    "tiny-gemma3,       gemma3.attention.sliding_window,              4096",
    "tiny-gemma3,       gemma3.rope.freq_base_swa,                    1000000.0",
    "tiny-gemma3,       gemma3.rope.scaling.factor,                   1.0",
    "tiny-phi3-long,    phi3.rope.scaling.original_context_length,    512",
    "tiny-phi3-long,    phi3.rope.scaling.attn_factor,                1.0",
    "tiny-phi3,         phi3.attention.sliding_window,                16",
    "tiny-granite,      granite.attention.scale,                      0.125",
    "tiny-granite,      granite.embedding_scale,                      1.0",
    "tiny-granite,      granite.residual_scale,                       1.0",
    "tiny-granite,      granite.logit_scale,                          1.0",
    "tiny-gpt-oss,      gpt-oss.attention.sliding_window,             4096",
    "tiny-gpt-oss,      gpt-oss.rope.scaling.type,                    linear",
    "tiny-gpt-oss,      blk.1.ffn_down_exps.bias,                     -",
  })
  void theFixturesSeeEachHyperparameter(String shape, String key, String value) throws IOException {
    var golden = new GoldenCase(shape, FileType.F32);
    Path changed = folder.resolve("changed.gguf");
    change(golden.model(folder), changed, key, value);
    var prompt = GoldenFixture.read(golden.name()).prompts()[2];
    try (var run = new ModelRun(changed, "reference", CONTEXT, Fusion::fuse)) {
      assertThat(prompt.worstDifference(run.append(prompt.ids())))
          .isGreaterThan(5 * GoldenFixture.FLOAT16_KV);
    }
  }

  /** Copies a model with one pair set to {@code value}, or one tensor left out. */
  private static void change(Path from, Path to, String key, String value) throws IOException {
    try (var file = GgufFile.open(from)) {
      var metadata = new LinkedHashMap<>(file.metadata().values());
      if (!value.equals("-")) {
        metadata.put(key, typed(value));
      }
      var writer = new GgufWriter(metadata);
      file.tensors().values().stream().filter(t -> !t.name().equals(key)).forEach(writer::tensor);
      writer.write(to);
    }
  }

  private static MetadataValue typed(String value) {
    if (value.matches("\\d+")) {
      return new MetadataValue.Int(MetadataType.UINT32, Long.parseLong(value));
    }
    return value.matches("[\\d.]+")
        ? new MetadataValue.Real(MetadataType.FLOAT32, Double.parseDouble(value))
        : new MetadataValue.Text(value);
  }
}
