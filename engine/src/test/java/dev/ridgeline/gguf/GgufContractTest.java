package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that other programs wrote. */
class GgufContractTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"models/target-f16.gguf", "models/draft-f16.gguf"})
  void aTrainedModelHasItsTensors(String relative) {
    try (GgufFile file = GgufFile.open(Shared.path(relative))) {
      Metadata metadata = file.metadata();
      String architecture = metadata.string("general.architecture");
      long layers = metadata.integer(architecture + ".block_count");
      long width = metadata.integer(architecture + ".embedding_length");
      assertThat(file.tensor("token_embd.weight").shape().ne0()).isEqualTo(width);
      assertThat(file.tensor("token_embd.weight").shape().ne1())
          .isEqualTo(metadata.strings("tokenizer.ggml.tokens").size());
      assertThat(file.tensors()).containsKey("blk." + (layers - 1) + ".ffn_down.weight");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "conformance/tokenizers/deepseek-llm.gguf",
        "conformance/tokenizers/falcon.gguf",
        "conformance/tokenizers/gpt-2.gguf",
        "conformance/tokenizers/llama-spm.gguf",
        "conformance/tokenizers/phi-3.gguf",
        "conformance/tokenizers/starcoder.gguf"
      })
  void aVocabularyHasOneTypeForEachToken(String relative) {
    try (GgufFile file = GgufFile.open(Shared.path(relative))) {
      Metadata metadata = file.metadata();
      assertThat(file.tensors()).isEmpty();
      assertThat(metadata.strings("tokenizer.ggml.tokens"))
          .hasSizeGreaterThan(30_000)
          .hasSameSizeAs(metadata.integers("tokenizer.ggml.token_type"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "models/target-f16.gguf",
        "models/draft-f16.gguf",
        "conformance/tokenizers/deepseek-llm.gguf",
        "conformance/tokenizers/llama-spm.gguf"
      })
  void writingWhatWasReadGivesTheSameBytes(String relative) throws IOException {
    Path original = Shared.path(relative);
    Path copy = folder.resolve("copy.gguf");
    try (GgufFile file = GgufFile.open(original)) {
      GgufWriter writer = new GgufWriter(file.metadata().values()).version(file.version());
      file.tensors().values().forEach(writer::tensor);
      writer.write(copy);
    }
    assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
  }
}
