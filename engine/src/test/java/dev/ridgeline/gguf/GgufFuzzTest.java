package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.ridgeline.gguf.Header.TensorInfo;
import dev.ridgeline.model.Model;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a file holds, it is opened or refused in one line: the file, then the model that its
 * hyperparameters describe, then its vocabulary. An ordinary test run tries the kept hostile and
 * nonsense files only, a second's work; {@code ./check} then searches for new inputs for ten
 * seconds. For as long as one likes:
 *
 * <pre>{@code
 * JAZZER_FUZZ=1 mvn -pl engine test -Dtest=GgufFuzzTest -Djazzer.hooks=true \
 *     -Djazzer.instrument='dev.ridgeline.gguf.**,dev.ridgeline.model.**,dev.ridgeline.tokenizer.**' \
 *     -Djazzer.max_duration=8h
 * }</pre>
 *
 * What it learns stays in {@code engine/.cifuzz-corpus}, which git ignores, and the next run goes
 * on from there. An input that breaks the test is put under {@code src/test/resources} in {@code
 * GgufFuzzTestInputs}, from where every later test run tries it; once understood, it becomes an
 * entry of {@link HostileFiles}.
 */
class GgufFuzzTest {
  private static final String TEXT = "a <s>\nb 1\u00e9\ud83d\ude00";

  @TempDir static Path folder;

  static Stream<Arguments> seeds() {
    return Stream.of(
            Stream.of(NonsenseFiles.sound()),
            HostileFiles.all().stream().map(HostileFiles.Hostile::bytes),
            NonsenseFilesTest.all().map(NonsenseFiles.Nonsense::bytes))
        .flatMap(files -> files)
        .map(bytes -> Arguments.of((Object) bytes));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "1h")
  void anyBytesAreOpenedOrRefusedInOneLine(byte[] bytes) throws IOException {
    Path path = folder.resolve("any.gguf");
    Files.deleteIfExists(path); // to write over a file makes ext4 wait for the disk
    Files.write(path, bytes);
    try (GgufFile file = GgufFile.open(path);
        Part part = Part.open(path, "part")) {
      assertThat(file.tensors()).hasSameSizeAs(part.header().tensors());
      List<TensorInfo> infos =
          part.header().tensors().stream()
              .sorted(Comparator.comparingLong(TensorInfo::offset))
              .toList();
      long free = 0;
      for (TensorInfo info : infos) {
        assertThat(info.offset()).isGreaterThanOrEqualTo(free);
        free = info.end();
        MemorySegment expected =
            MemorySegment.ofArray(bytes)
                .asSlice(part.header().dataOffset() + info.offset(), info.bytes());
        assertThat(file.tensor(info.name()).data().mismatch(expected)).isEqualTo(-1);
      }
      isDoneOrRefusedInOneLine(() -> Model.read(file.metadata(), file.tensors()));
      isDoneOrRefusedInOneLine(
          () -> {
            Tokenizer tokenizer = Tokenizer.of(file.metadata());
            for (int id : tokenizer.encode(TEXT, Tokenizer.Bos.AUTO, true)) {
              tokenizer.bytes(id);
            }
          });
    } catch (GgufException e) {
      assertThat(e).message().hasLineCount(1).hasSizeLessThan(1000);
    }
  }

  private static void isDoneOrRefusedInOneLine(Runnable work) {
    try {
      work.run();
    } catch (GgufException e) {
      assertThat(e).message().hasLineCount(1).hasSizeLessThan(1000);
    }
  }
}
