package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * Texts of every script and category, with the ids that the reference engine gives them, or a
 * rule's published form where the engine approximates it: {@code dev/golden-tokenizers}.
 */
class TokenizerGoldenTest {
  /**
   * @param ids by text, separated by spaces; null where there is nothing to compare with
   */
  record Case(String vocabulary, List<String> pre, boolean special, List<@Nullable String> ids) {
    @Override
    public String toString() {
      return vocabulary + " " + pre + (special ? ", special tokens parsed" : "");
    }
  }

  record Golden(List<String> texts, List<Case> cases) {}

  private static final Golden GOLDEN = read();

  private static Golden read() {
    try (var in = TokenizerGoldenTest.class.getResourceAsStream("golden.json")) {
      return JsonMapper.shared().readValue(in, Golden.class);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static Stream<Case> cases() {
    return GOLDEN.cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void idsAreTheReferenceEngines(Case golden) {
    if (golden.pre.isEmpty()) {
      assertThat(ids(Tokenizer.of(Vocabularies.fixture(golden.vocabulary)), golden))
          .containsExactlyElementsOf(expected(golden));
    }
    for (String name : golden.pre) {
      Tokenizer tokenizer = Tokenizer.of(Vocabularies.fixture(golden.vocabulary, "pre", name));
      assertThat(ids(tokenizer, golden)).as(name).containsExactlyElementsOf(expected(golden));
    }
  }

  @Test
  void everyPreTokenizerHasAGoldenCase() {
    assertThat(GOLDEN.cases.stream().flatMap(c -> c.pre.stream()))
        .containsAll(PreTokenizer.names());
  }

  private static List<String> ids(Tokenizer tokenizer, Case golden) {
    List<String> result = new ArrayList<>();
    for (int i = 0; i < GOLDEN.texts.size(); i++) {
      if (golden.ids.get(i) != null) {
        int[] ids =
            tokenizer.encode(
                GOLDEN.texts.get(i),
                golden.special ? Tokenizer.Bos.AUTO : Tokenizer.Bos.NO,
                golden.special);
        result.add(line(i, Arrays.stream(ids).mapToObj(Integer::toString)));
      }
    }
    return result;
  }

  private static List<String> expected(Case golden) {
    return IntStream.range(0, GOLDEN.texts.size())
        .filter(i -> golden.ids.get(i) != null)
        .mapToObj(i -> line(i, Stream.of(String.valueOf(golden.ids.get(i)))))
        .toList();
  }

  private static String line(int text, Stream<String> ids) {
    return GOLDEN.texts.get(text) + " -> " + ids.collect(Collectors.joining(" "));
  }
}
