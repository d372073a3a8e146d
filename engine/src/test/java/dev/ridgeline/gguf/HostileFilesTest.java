package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.ridgeline.gguf.HostileFiles.Hostile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HostileFilesTest {
  static List<Hostile> files() {
    return HostileFiles.all();
  }

  static Path folder() throws URISyntaxException {
    return Path.of(Objects.requireNonNull(HostileFilesTest.class.getResource("hostile")).toURI());
  }

  @ParameterizedTest
  @MethodSource("files")
  void eachIsRefusedInOneLineThatNamesTheByte(Hostile hostile) throws Exception {
    Path path = folder().resolve(hostile.name() + ".gguf");
    String place = path + (hostile.offset() < 0 ? ": " : " @ byte " + hostile.offset() + ": ");
    assertThatThrownBy(() -> GgufFile.open(path))
        .isInstanceOf(GgufException.class)
        .hasMessageStartingWith(place)
        .hasMessageContaining(hostile.message())
        .message()
        .hasLineCount(1);
  }

  /** The reader's buffer has 256 KiB; the rest is a message. */
  @Test
  void refusingCostsUnderAMegabyteOfMemory() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (Hostile hostile : files()) {
      Path path = folder().resolve(hostile.name() + ".gguf");
      long before = threads.getCurrentThreadAllocatedBytes();
      assertThatThrownBy(() -> GgufFile.open(path));
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      assertThat(bytes).as(hostile.name()).isLessThan(1 << 20);
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void theKeptFileIsWhatTheProgramMakes(Hostile hostile) throws Exception {
    assertThat(folder().resolve(hostile.name() + ".gguf")).hasBinaryContent(hostile.bytes());
  }

  @Test
  void noFileIsKeptThatNothingChecks() throws IOException, URISyntaxException {
    try (Stream<Path> kept = Files.list(folder())) {
      assertThat(kept.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              files().stream().map(file -> file.name() + ".gguf").toList());
    }
  }
}
