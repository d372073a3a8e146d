package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The vectors that released tokenizers were checked with, made by their own libraries. */
class TokenizerConformanceTest {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3", "gpt-2", "falcon", "starcoder", "deepseek-llm"})
  void everyVectorIsExact(String name) throws IOException {
    Path vocabulary = Shared.path("conformance/tokenizers/" + name + ".gguf");
    String[] texts =
        Files.readString(vocabulary.resolveSibling(name + ".gguf.inp")).split(SEPARATOR, -1);
    List<String> lines = Files.readAllLines(vocabulary.resolveSibling(name + ".gguf.out"));
    Tokenizer tokenizer;
    try (GgufFile file = GgufFile.open(vocabulary)) {
      tokenizer = Tokenizer.of(file.metadata());
    }

    assertThat(lines).hasSize(texts.length - 1);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      int[] expected =
          line.isEmpty()
              ? new int[0]
              : Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray();
      assertThat(tokenizer.encode(texts[i], Tokenizer.Bos.NO, false))
          .as("%s, text %d: '%s'", name, i, texts[i])
          .containsExactly(expected);
    }
  }
}
