package dev.ridgeline.vulkan.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineCacheFileTest {
  private static final byte[] BYTES = {1, 2, 3, 4, 5};

  /** Kept, since a logger that nobody holds forgets its level. */
  private final Logger log = Logger.getLogger(PipelineCacheFile.class.getName());

  @TempDir private Path folder = Path.of("");

  private Path written() {
    Path file = folder.resolve("new folder").resolve("pipelines.bin");
    PipelineCacheFile.write(file, "device-a", BYTES);
    return file;
  }

  @Test
  void whatWasWrittenIsReadAndNothingElseIsLeft() throws IOException {
    Path file = written();
    assertThat(PipelineCacheFile.read(file, "device-a")).isEqualTo(BYTES);
    try (var files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
    assertThat(PipelineCacheFile.read(folder.resolve("none"), "device-a")).isEmpty();
  }

  @Test
  void anotherDriversFileIsNotRead() {
    assertThat(PipelineCacheFile.read(written(), "device-b")).isEmpty();
  }

  @BeforeEach
  void quietly() {
    log.setLevel(Level.OFF);
  }

  @Test
  void aDamagedOrShortFileIsNotRead() throws IOException {
    Path file = written();
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThat(PipelineCacheFile.read(file, "device-a")).as("%d bytes", length).isEmpty();
    }
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 0x10;
      Files.write(file, damaged);
      assertThat(PipelineCacheFile.read(file, "device-a")).as("byte %d", i).isEmpty();
    }
  }
}
