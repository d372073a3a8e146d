package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.tokenizer.Tokenizer.Bos;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenizerTest {
  private static final int A = 'a' + 3; // a byte token of Vocabularies.sentencePiece

  @Test
  void bosAndEosAreAddedAsTheFileSays() {
    Metadata metadata = Vocabularies.sentencePiece("\u2581a");
    assertThat(Tokenizer.of(metadata).encode("a", Bos.AUTO, false)).containsExactly(1, 259);
    assertThat(Tokenizer.of(metadata).encode("a", Bos.NO, false)).containsExactly(259);

    Metadata other = Vocabularies.with(metadata, "add_bos_token", false, "add_eos_token", true);
    assertThat(Tokenizer.of(other).encode("a", Bos.AUTO, false)).containsExactly(259, 2);
    assertThat(Tokenizer.of(other).encode("a", Bos.YES, false)).containsExactly(1, 259);
  }

  @Test
  void emptyTextIsOnlyWhatIsAddedAroundIt() {
    assertThat(Tokenizer.of(Vocabularies.sentencePiece()).encode("", Bos.AUTO, true))
        .containsExactly(1);
    assertThat(Tokenizer.of(Vocabularies.bytes()).encode("", Bos.AUTO, true)).isEmpty();
  }

  @Test
  void specialTokensAreParsedOnlyOnRequest() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.bytes("<|im_end|>"));
    assertThat(tokenizer.encode("a<|im_end|>b", Bos.NO, true)).containsExactly('a', 256, 'b');
    assertThat(tokenizer.encode("a<|im_end|>b", Bos.NO, false)).doesNotContain(256).hasSize(12);
  }

  @Test
  void textNeverBecomesATokenThatEndsAGeneration() {
    // "</s>" declared normal, and joined by merges: as text it stays text.
    Metadata metadata = Vocabularies.bytes("</", "s>", "</s>");
    int[] types = new int[259];
    Arrays.fill(types, 1);
    Tokenizer tokenizer =
        Tokenizer.of(
            Vocabularies.with(
                metadata,
                "token_type",
                types,
                "merges",
                List.of("< /", "s >", "</ s>"),
                "pre",
                "bloom"));
    assertThat(tokenizer.isEnd(258)).isTrue();
    assertThat(tokenizer.encode("</s>", Bos.NO, false)).containsExactly('<', '/', 's', '>');
    assertThat(tokenizer.encode("</s>", Bos.NO, true)).containsExactly(258);
  }

  @Test
  void userDefinedTokensAreFoundInAnyTextTheLongestFirst() {
    Metadata metadata = Vocabularies.sentencePiece("  ", "    ", "x");
    int[] types = new int[262];
    Arrays.fill(types, 0, 259, 6);
    types[0] = 2;
    types[1] = 3;
    types[2] = 3;
    types[259] = 4;
    types[260] = 4;
    types[261] = 1;
    Tokenizer tokenizer =
        Tokenizer.of(Vocabularies.with(metadata, "token_type", types, "add_space_prefix", false));
    assertThat(tokenizer.encode("      x", Bos.NO, false)).containsExactly(260, 259, 261);
  }

  @Test
  void aSpaceComesBeforeTheTextAndAfterSpecialTokens() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.sentencePiece("\u2581a"));
    assertThat(tokenizer.encode("a<s>a", Bos.NO, true)).containsExactly(259, 1, 259);
    Metadata without =
        Vocabularies.with(Vocabularies.sentencePiece("\u2581a"), "add_space_prefix", false);
    assertThat(Tokenizer.of(without).encode("a<s>a", Bos.NO, true)).containsExactly(A, 1, A);
  }

  @Test
  void phi3SwallowsTheSpaceAfterASpecialToken() {
    Metadata metadata =
        Vocabularies.with(Vocabularies.sentencePiece("\u2581a"), "general.name", "Phi-3 Mini");
    assertThat(Tokenizer.of(metadata).encode("</s> \n a", Bos.NO, true)).containsExactly(2, 259);
    assertThat(Tokenizer.of(metadata).encode("<s>a", Bos.NO, true)).containsExactly(1, 259);
  }

  @Test
  void equalScoresAreJoinedFromTheLeft() {
    Metadata metadata = Vocabularies.sentencePiece("ab", "bc", "a", "b", "c");
    float[] scores = new float[264];
    Tokenizer tokenizer =
        Tokenizer.of(Vocabularies.with(metadata, "scores", scores, "add_space_prefix", false));
    assertThat(tokenizer.encode("abc", Bos.NO, false)).containsExactly(259, 263);
  }

  @Test
  void piecesThatReachOverASpaceAreFound() {
    Metadata metadata = Vocabularies.sentencePiece("a\u2581b", "\u2581b", "a\u2581", "a", "b");
    assertThat(
            Tokenizer.of(Vocabularies.with(metadata, "add_space_prefix", false))
                .encode("a b", Bos.NO, false))
        .containsExactly(259);
  }

  @Test
  void mergesOverPiecesThatAreNoTokensStillJoin() {
    // "ab" is no token but a step to "abc"; left over, it is spelled in bytes.
    Tokenizer tokenizer =
        Tokenizer.of(Vocabularies.with(bytesAnd("abc"), "merges", List.of("a b", "ab c")));
    assertThat(tokenizer.encode("abcab", Bos.NO, false)).containsExactly(256, 'a', 'b');
  }

  private static Metadata bytesAnd(String... pieces) {
    int[] types = new int[256 + pieces.length];
    Arrays.fill(types, 1);
    return Vocabularies.with(Vocabularies.bytes(pieces), "token_type", types);
  }

  @Test
  void composesWhereTheFileAsksForIt() {
    Metadata metadata = bytesAnd("\u00c3\u00a9"); // the two bytes of an e with acute accent
    Metadata merged = Vocabularies.with(metadata, "merges", List.of("\u00c3 \u00a9"));
    assertThat(Tokenizer.of(merged).encode("e\u0301", Bos.NO, false)).hasSize(3);
    assertThat(
            Tokenizer.of(Vocabularies.with(merged, "normalizer.nfc", true))
                .encode("e\u0301", Bos.NO, false))
        .containsExactly(256);
  }

  @Test
  void unpairedSurrogatesCountAsReplacementCharacters() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.bytes());
    assertThat(tokenizer.decode(tokenizer.encode("a\ud83eb\udd99", Bos.NO, false)))
        .isEqualTo("a\ufffdb\ufffd");
    assertThat(tokenizer.decode(tokenizer.encode("\ud83e\udd99", Bos.NO, false)))
        .isEqualTo("\ud83e\udd99");
  }

  @Test
  void whatNoPieceSpellsBecomesBytesElseUnknown() {
    assertThat(Tokenizer.of(Vocabularies.sentencePiece()).encode("\u00e9", Bos.NO, false))
        .containsExactly(0xE2 + 3, 0x96 + 3, 0x81 + 3, 0xC3 + 3, 0xA9 + 3);
    Metadata bare =
        Vocabularies.of(
            "model",
            "llama",
            "tokens",
            List.of("<unk>", "<s>", "</s>", "\u2581"),
            "token_type",
            new int[] {2, 3, 3, 1});
    assertThat(Tokenizer.of(bare).encode("\u00e9", Bos.NO, false)).containsExactly(3, 0);
  }

  @Test
  void unigramFallsBackToBytesWhereItHasThem() {
    String[] tokens = new String[259];
    int[] types = new int[259];
    for (int i = 0; i < 259; i++) {
      tokens[i] = i < 3 ? List.of("<pad>", "</s>", "<unk>").get(i) : "<0x%02X>".formatted(i - 3);
      types[i] = i < 3 ? 3 : 6;
    }
    Metadata metadata =
        Vocabularies.of("model", "t5", "tokens", List.of(tokens), "token_type", types);
    Tokenizer tokenizer = Tokenizer.of(metadata);
    assertThat(tokenizer.decode(tokenizer.encode("h\u00e9", Bos.AUTO, false))).isEqualTo("h\u00e9");
  }

  @Test
  void decodingDropsTheSpaceThatEncodingAdded() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.sentencePiece("\u2581a"));
    assertThat(tokenizer.decode(1, 259, 259)).isEqualTo("a a");
    assertThat(tokenizer.decoder(false, true).accept(259)).isEqualTo(" a");
  }

  @Test
  void specialTokensAreWrittenOnRequest() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.bytes("<|im_end|>"));
    assertThat(tokenizer.decode('a', 256)).isEqualTo("a");
    assertThat(tokenizer.decoder(true, false).accept(256)).isEqualTo("<|im_end|>");
  }

  @Test
  void charactersAppearWhenTheirLastByteDoes() {
    StreamDecoder decoder = Tokenizer.of(Vocabularies.bytes()).decoder(true, true);
    byte[] llama = "\ud83e\udd99".getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 3; i++) {
      assertThat(decoder.accept(llama[i] & 0xFF)).isEmpty();
    }
    assertThat(decoder.accept(llama[3] & 0xFF)).isEqualTo("\ud83e\udd99");
    assertThat(decoder.finish()).isEmpty();
  }

  @Test
  void bytesThatAreNoCharacterAreReplacedOneByOne() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.bytes());
    StreamDecoder decoder = tokenizer.decoder(true, true);
    assertThat(decoder.accept(0xF0)).isEmpty();
    assertThat(decoder.accept('a')).isEqualTo("\ufffda");
    assertThat(decoder.accept(0xFF)).isEqualTo("\ufffd");
    assertThat(decoder.accept(0xE2)).isEmpty();
    assertThat(decoder.finish()).isEqualTo("\ufffd");
    assertThat(decoder.finish()).isEmpty();
    assertThat(tokenizer.piece(0xE2)).isEqualTo("\ufffd");
  }

  @Test
  void generationEndsWithWhatTheFileNamesAndWithWellKnownTokens() {
    Metadata metadata =
        Vocabularies.with(
            Vocabularies.bytes("<end>", "<|eot_id|>", "<|eom_id|>", "<|file_sep|>", "<|x|>"),
            "eos_token_id",
            256);
    Tokenizer tokenizer = Tokenizer.of(metadata);
    assertThat(tokenizer.ends()).containsExactly(256, 257, 258, 259);
    assertThat(tokenizer.eos()).hasValue(256);
    assertThat(tokenizer.eot()).hasValue(257);
    assertThat(tokenizer.bos()).isEmpty();
  }

  @Test
  void aChannelOfGptOssDoesNotEndTheGenerationAndItsMarksAreWritten() {
    Tokenizer tokenizer =
        Tokenizer.of(
            Vocabularies.bytes("<|return|>", "<|call|>", "<|end|>", "<|channel|>", "<|message|>"));
    assertThat(tokenizer.ends()).containsExactly(256, 257);
    assertThat(tokenizer.decode(259, 'a', 260, 258, 256))
        .isEqualTo("<|channel|>a<|message|><|end|>");
    assertThat(Tokenizer.of(Vocabularies.bytes("<|end|>")).ends()).containsExactly(256);
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() {
    Tokenizer tokenizer = Tokenizer.of(Vocabularies.bytes());
    assertThatThrownBy(() -> tokenizer.decode(256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("token id 256 is not in the vocabulary; expected 0 to 255");
    assertThatThrownBy(() -> tokenizer.piece(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsReadOtherwiseThanItStandsIsSaid() {
    assertThat(Tokenizer.of(Vocabularies.bytes()).warnings()).isEmpty();
    Metadata odd =
        Vocabularies.of("model", "gpt2", "tokens", List.of("a", "a", "b"), "merges", List.of());
    assertThat(Tokenizer.of(odd).warnings())
        .containsExactly(
            "metadata key 'tokenizer.ggml.pre' is missing; read as 'default'",
            "1 tokens repeat another; text becomes the lower id",
            "254 of 256 bytes have no token; text that holds them loses them");
  }

  @Test
  void repeatedAndEmptyPiecesAreTolerated() {
    Metadata metadata = Vocabularies.sentencePiece("\u2581a", "", "\u2581a");
    Tokenizer tokenizer = Tokenizer.of(metadata);
    assertThat(tokenizer.encode("a", Bos.NO, false)).containsExactly(259);
    assertThat(tokenizer.decode(261, 260)).isEqualTo("a");
  }

  @Test
  void bytesAreKnownByTheirTextWhereTheFileHasNoTypes() {
    Metadata metadata =
        Vocabularies.with(Vocabularies.sentencePiece("\u2581"), "token_type", Vocabularies.NOTHING);
    Tokenizer tokenizer = Tokenizer.of(metadata);
    assertThat(tokenizer.kind(A)).isEqualTo(TokenKind.BYTE);
    assertThat(tokenizer.decode(tokenizer.encode("a", Bos.NO, false))).isEqualTo("a");
  }
}
