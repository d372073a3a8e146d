package dev.ridgeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.testing.Shared;
import dev.ridgeline.tokenizer.Tokenizer.Bos;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The texts with which the project's own models were trained, by SentencePiece's own library. */
class TrainedModelTextTest {
  /** Has the vocabulary of the model that the references are of. */
  private static final Path BUILT_IN =
      Path.of("../builtin/src/main/resources/dev/ridgeline/builtin/stories-q4_k_m.gguf");

  record Prompt(String text, int[] ids, int[] greedy_ids, String greedy_text) {}

  record HeldOut(List<int[]> ids) {}

  record References(List<Prompt> prompts, HeldOut heldout) {}

  private static References references() throws IOException {
    try (var in =
        TrainedModelTextTest.class.getResourceAsStream("/dev/ridgeline/models/target-refs.json")) {
      return JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build()
          .readValue(in, References.class);
    }
  }

  private static Tokenizer tokenizer() {
    try (GgufFile file = GgufFile.open(BUILT_IN)) {
      return Tokenizer.of(file.metadata());
    }
  }

  @Test
  void promptsAndAnswersAreTheRecordedOnes() throws IOException {
    Tokenizer tokenizer = tokenizer();
    for (Prompt prompt : references().prompts) {
      assertThat(tokenizer.encode(prompt.text, Bos.AUTO, false)).containsExactly(prompt.ids);
      assertThat(tokenizer.decode(prompt.ids)).isEqualTo(prompt.text);
      StreamDecoder decoder = tokenizer.decoder(false, true);
      StringBuilder answer = new StringBuilder();
      for (int id : prompt.greedy_ids) {
        answer.append(decoder.accept(id));
      }
      assertThat(answer.toString().strip()).isEqualTo(prompt.greedy_text.strip());
    }
  }

  /** Two megabytes of English: each recorded window stands in the ids of its book. */
  @Test
  void heldOutBooksHaveTheRecordedWindows() throws IOException {
    Tokenizer tokenizer = tokenizer();
    String[] books = Files.readString(Shared.path("models/heldout.txt")).split("<\\|book\\|>", -1);
    List<List<Integer>> ids =
        Arrays.stream(books)
            .map(
                book ->
                    Arrays.stream(tokenizer.encode(book.strip(), Bos.NO, false)).boxed().toList())
            .toList();
    for (int[] window : references().heldout.ids) {
      List<Integer> expected = Arrays.stream(window).skip(1).boxed().toList();
      assertThat(ids).anyMatch(book -> Collections.indexOfSubList(book, expected) >= 0);
    }
  }
}
