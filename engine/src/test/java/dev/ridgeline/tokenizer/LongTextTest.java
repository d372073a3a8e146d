package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.tokenizer.Tokenizer.Bos;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts that exhaust the stack of a recursive matcher, or the patience of anyone where some step is
 * quadratic: at 100,000 equal characters that shows as minutes.
 */
class LongTextTest {
  private static final int LENGTH = 100_000;
  private static final List<String> NAMES =
      List.of(
          "gpt-2",
          "llama-bpe",
          "qwen2",
          "gpt-4o",
          "tekken",
          "deepseek-llm",
          "deepseek-coder",
          "deepseek-v3",
          "falcon",
          "default",
          "exaone-moe",
          "jais-2",
          "chameleon",
          "viking");

  @ParameterizedTest
  @ValueSource(
      strings = {"a", "A", " ", "\n", " \n", "1", "!", "\u4e2d", "\u0301", "aA", "a ", "'", "<"})
  void repeatedTextOfAnyKindIsEncoded(String unit) {
    String text = unit.repeat(LENGTH / unit.length()) + "x";
    for (String name : NAMES) {
      Tokenizer tokenizer =
          Tokenizer.of(Vocabularies.fixture(Vocabularies.BYTE_LEVEL, "pre", name));
      assertThat(tokenizer.decode(tokenizer.encode(text, Bos.NO, true))).as(name).isEqualTo(text);
    }
    for (String name :
        List.of(Vocabularies.SENTENCE_PIECE, Vocabularies.WORD_PIECE, Vocabularies.UNIGRAM)) {
      assertThat(Tokenizer.of(Vocabularies.fixture(name)).encode(text, Bos.NO, true))
          .as(name)
          .isNotEmpty();
    }
  }
}
