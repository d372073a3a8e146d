package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.tokenizer.Tokenizer.Bos;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A vocabulary that makes no sense is refused in one line that names the file and the key. */
class HostileVocabularyTest {
  private static void refused(Metadata metadata, String key, String... parts) {
    assertThatThrownBy(() -> Tokenizer.of(metadata))
        .isInstanceOf(GgufException.class)
        .hasMessageStartingWith(metadata.file() + ": metadata key 'tokenizer.ggml." + key + "' ")
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<0x-1>", "<0xZZ>", "<0x100>", "<0x1>", "", "0x10", "<0x1\u0661>"})
  void byteTokensThatNameNoByte(String text) {
    refused(
        Vocabularies.of(
            "model", "llama", "tokens", List.of("<unk>", text), "token_type", new int[] {2, 6}),
        "tokens",
        "byte token 1 '" + text + "'",
        "expected <0x00> to <0xFF>");
  }

  @ParameterizedTest
  @CsvSource({"token_type, 3", "token_type, 0", "scores, 3", "scores, 0"})
  void arraysOfAnotherLengthThanTheTokens(String key, int length) {
    Object array = key.equals("scores") ? new float[length] : new int[length];
    refused(
        Vocabularies.of("model", "llama", "tokens", List.of("a", "b"), key, array),
        key,
        "has " + length + " elements; expected 2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bos_token_id",
        "eos_token_id",
        "eot_token_id",
        "eom_token_id",
        "unknown_token_id",
        "fim_pad_token_id"
      })
  void idsOutsideTheVocabulary(String key) {
    refused(Vocabularies.with(Vocabularies.bytes(), key, 1_000_000_000), key, "1000000000", "255");
    refused(Vocabularies.with(Vocabularies.bytes(), key, 256), key, "0 to 255");
    refused(Vocabularies.with(Vocabularies.bytes(), key, -2), key, "-2");
    Tokenizer none = Tokenizer.of(Vocabularies.with(Vocabularies.bytes(), key, 0xFFFF_FFFFL));
    assertThat(none.ends()).isEmpty();
  }

  @Test
  void aSeparatorOutsideTheVocabulary() {
    refused(
        Vocabularies.fixture(Vocabularies.WORD_PIECE, "seperator_token_id", 1_000_000_000),
        "seperator_token_id",
        "1000000000");
  }

  @Test
  void mergesThatAreNotTwoPieces() {
    for (String merge : List.of("ab", "", " ", "a ", " a")) {
      refused(
          Vocabularies.with(Vocabularies.bytes(), "merges", List.of("a b", merge)),
          "merges",
          "merge 1 '" + merge + "'");
    }
  }

  @Test
  void whatIsMissingIsNamed() {
    refused(Vocabularies.of("tokens", List.of("a")), "model", "missing");
    refused(Vocabularies.of("model", "llama"), "tokens", "missing");
    refused(Vocabularies.of("model", "llama", "tokens", List.of()), "tokens", "empty");
    refused(
        Vocabularies.with(Vocabularies.bytes(), "merges", Vocabularies.NOTHING),
        "merges",
        "missing");
  }

  @Test
  void unknownNamesAreRefusedWithTheKnownOnes() {
    refused(
        Vocabularies.of("model", "rwkv", "tokens", List.of("a")),
        "model",
        "'rwkv'; supported: llama, gpt2, bert, t5");
    refused(
        Vocabularies.with(Vocabularies.bytes(), "pre", "nonsense"),
        "pre",
        "'nonsense'; supported: a.x-4.0, ",
        "llama-bpe, ",
        "tekken");
  }

  @Test
  void valuesOfAnotherKindAreRefused() {
    refused(Vocabularies.of("model", "llama", "tokens", "abc"), "tokens", "array of strings");
    refused(Vocabularies.with(Vocabularies.bytes(), "add_bos_token", 1), "add_bos_token", "a bool");
    refused(
        Vocabularies.with(Vocabularies.bytes(), "bos_token_id", "one"),
        "bos_token_id",
        "an integer");
    refused(
        Vocabularies.with(Vocabularies.bytes(), "add_bos_token", true),
        "add_bos_token",
        "names no");
  }

  @Test
  void scoresAndTypesThatMeanNothing() {
    refused(
        Vocabularies.of(
            "model", "llama", "tokens", List.of("a"), "scores", new float[] {Float.NaN}),
        "scores",
        "NaN");
    refused(
        Vocabularies.of("model", "llama", "tokens", List.of("a"), "token_type", new int[] {7}),
        "token_type",
        "token 0 is 7; expected 1 to 6");
  }

  @Test
  void normalizationMapsWithoutTheirParts() {
    for (int[] bytes :
        new int[][] {
          {0},
          {0, 0, 0},
          {0, 0, 0, 0},
          {4, 0, 0, 0, 1, 2, 3, 4},
          {3, 0, 0, 0, 1, 2, 3, 0},
          {-1, -1, -1, -1, 0},
          {0, 0, 0, 0, 'a'}
        }) {
      refused(
          Vocabularies.fixture(Vocabularies.UNIGRAM, "precompiled_charsmap", bytes),
          "precompiled_charsmap",
          bytes.length + " bytes");
    }
    refused(
        Vocabularies.fixture(Vocabularies.UNIGRAM, "precompiled_charsmap", new int[] {300}),
        "precompiled_charsmap",
        "300");
  }

  /** Encoding never leaves the map: what could is refused before. */
  @Test
  void damagedNormalizationMapsAreRefusedOrWork() {
    int[] sound =
        Arrays.stream(
                Vocabularies.fixture(Vocabularies.UNIGRAM)
                    .integers("tokenizer.ggml.precompiled_charsmap"))
            .mapToInt(b -> (int) b)
            .toArray();
    StringBuilder text = new StringBuilder();
    for (char c = 1; c < 0x2200; c++) {
      text.append(c);
    }
    Random random = new Random(1);
    int refused = 0;
    for (int round = 0; round < 300; round++) {
      int[] damaged = sound.clone();
      for (int i = 0; i < 1 + round % 5; i++) {
        damaged[4 + random.nextInt(damaged.length - 4)] = (byte) random.nextInt(256);
      }
      try {
        Tokenizer.of(Vocabularies.fixture(Vocabularies.UNIGRAM, "precompiled_charsmap", damaged))
            .encode(text.toString(), Bos.AUTO, false);
      } catch (GgufException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(30, 270);
  }
}
