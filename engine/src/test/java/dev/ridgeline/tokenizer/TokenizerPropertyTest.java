package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.tokenizer.Tokenizer.Bos;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

class TokenizerPropertyTest {
  private static final List<Tokenizer> BYTE_LEVEL =
      PreTokenizer.names().stream()
          .map(name -> Tokenizer.of(Vocabularies.fixture(Vocabularies.BYTE_LEVEL, "pre", name)))
          .toList();
  private static final List<Tokenizer> OTHERS =
      Stream.of(Vocabularies.SENTENCE_PIECE, Vocabularies.WORD_PIECE, Vocabularies.UNIGRAM)
          .map(name -> Tokenizer.of(Vocabularies.fixture(name)))
          .toList();

  /** Characters of all planes, and those at which words are cut. */
  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> any = Arbitraries.integers().between(0, 0x10FFFF).map(Character::toString);
    Arbitrary<String> common =
        Arbitraries.of(
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "'s",
            "'LL",
            "a",
            "B",
            "word",
            "1",
            "23",
            "!",
            "/",
            "\u4e2d",
            "\u0301",
            "\u2581",
            "\u3000",
            "<|im_end|>",
            "</s>",
            "<0x0A>",
            "\ud800");
    return Arbitraries.frequencyOf(Tuple.of(1, any), Tuple.of(3, common))
        .list()
        .ofMaxSize(40)
        .map(parts -> String.join("", parts));
  }

  private static String wellFormed(String text) {
    StringBuilder result = new StringBuilder();
    text.codePoints()
        .map(c -> Character.getType(c) == Character.SURROGATE ? 0xFFFD : c)
        .forEach(result::appendCodePoint);
    return result.toString();
  }

  @Property(tries = 300)
  void byteLevelTextComesBackAsItWas(@ForAll("texts") String text) {
    for (Tokenizer tokenizer : BYTE_LEVEL) {
      assertThat(tokenizer.decode(tokenizer.encode(text, Bos.NO, false)))
          .isEqualTo(wellFormed(text));
    }
  }

  @Property(tries = 300)
  void sentencePieceTextComesBackButForItsOwnSpace(@ForAll("texts") String text) {
    Assume.that(!text.contains("\n\n")); // a token of its own, after which a space is put again
    Tokenizer tokenizer = OTHERS.getFirst();
    assertThat(tokenizer.decode(tokenizer.encode(text, Bos.AUTO, false)))
        .isEqualTo(wellFormed(text).replace('\u2581', ' '));
  }

  @Property(tries = 500)
  void anyTextHasIdsOfTheVocabulary(@ForAll("texts") String text) {
    for (Tokenizer tokenizer : OTHERS) {
      assertThat(Arrays.stream(tokenizer.encode(text, Bos.AUTO, true)))
          .allMatch(id -> id >= 0 && id < tokenizer.size());
    }
  }

  @Property(tries = 500)
  void streamedTextIsThatOfAllBytesAtOnce(@ForAll List<Integer> numbers) {
    Tokenizer tokenizer = BYTE_LEVEL.getFirst();
    StreamDecoder decoder = tokenizer.decoder(true, false);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    StringBuilder streamed = new StringBuilder();
    for (int number : numbers) {
      int id = Math.floorMod(number, tokenizer.size());
      bytes.writeBytes(tokenizer.bytes(id));
      streamed.append(decoder.accept(id));
    }
    assertThat(streamed.append(decoder.finish()).toString())
        .isEqualTo(bytes.toString(StandardCharsets.UTF_8));
  }
}
