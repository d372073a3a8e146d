package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.gguf.NonsenseFiles.Nonsense;
import dev.ridgeline.model.Model;
import dev.ridgeline.tokenizer.Tokenizer;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NonsenseFilesTest {
  static List<Nonsense> hyperparameters() {
    return NonsenseFiles.hyperparameters();
  }

  static List<Nonsense> vocabularies() {
    return NonsenseFiles.vocabularies();
  }

  static List<Nonsense> oddities() {
    return NonsenseFiles.oddities();
  }

  static Stream<Nonsense> all() {
    return Stream.of(hyperparameters(), vocabularies(), oddities()).flatMap(List::stream);
  }

  private static Path path(String name) throws URISyntaxException {
    return Path.of(
        Objects.requireNonNull(
                NonsenseFilesTest.class.getResource("nonsense/" + name + ".gguf"), name)
            .toURI());
  }

  @Test
  void theSoundModelIsAccepted() throws Exception {
    try (GgufFile file = GgufFile.open(path("sound"))) {
      assertThat(Model.read(file.metadata(), file.tensors()).vocabularySize()).isEqualTo(4);
      assertThat(Tokenizer.of(file.metadata()).encode("\n", Tokenizer.Bos.NO, false)).contains(3);
    }
  }

  @ParameterizedTest
  @MethodSource("hyperparameters")
  void aHyperparameterThatMakesNoSenseIsRefusedByName(Nonsense nonsense) throws Exception {
    try (GgufFile file = GgufFile.open(path(nonsense.name()))) {
      assertThatThrownBy(() -> Model.read(file.metadata(), file.tensors()))
          .isInstanceOf(GgufException.class)
          .hasMessageContainingAll(".gguf @ byte ", nonsense.message())
          .message()
          .hasLineCount(1);
    }
  }

  @ParameterizedTest
  @MethodSource("vocabularies")
  void aVocabularyThatMakesNoSenseIsRefusedByName(Nonsense nonsense) throws Exception {
    try (GgufFile file = GgufFile.open(path(nonsense.name()))) {
      assertThatThrownBy(() -> Tokenizer.of(file.metadata()))
          .isInstanceOf(GgufException.class)
          .hasMessageContainingAll(".gguf @ byte ", nonsense.message())
          .message()
          .hasLineCount(1);
    }
  }

  @ParameterizedTest
  @MethodSource("oddities")
  void anOddVocabularyEncodesAndDecodes(Nonsense odd) throws Exception {
    try (GgufFile file = GgufFile.open(path(odd.name()))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      assertThat(tokenizer.encode("<s>a", Tokenizer.Bos.NO, true)).containsExactly(1, 0, 0);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void theKeptFileIsWhatTheProgramMakes(Nonsense nonsense) throws Exception {
    assertThat(path(nonsense.name())).hasBinaryContent(nonsense.bytes());
  }
}
