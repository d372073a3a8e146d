package dev.ridgeline.cli;

import static dev.ridgeline.testing.ChildJvm.end;
import static dev.ridgeline.testing.ChildJvm.signal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code quantize} leaves behind when it cannot finish: nothing. */
class QuantizeProcessTest {
  @TempDir private Path folder = Path.of("");

  private Path out = Path.of("");

  @BeforeEach
  void source() throws IOException {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "signals and limits of Linux");
    new Synth("tiny-llama", FileType.F16).write(folder.resolve("in.gguf"), 1);
    out = Files.createDirectories(folder.resolve("out"));
  }

  /** {@code shell} runs first, and then becomes the quantizer with {@code exec "$@"}. */
  private Process quantize(String shell) throws IOException {
    List<String> command = new ArrayList<>(List.of("bash", "-c", shell + " exec \"$@\"", "bash"));
    command.addAll(
        ChildJvm.command(
            Main.class.getName(),
            "quantize",
            folder.resolve("in.gguf").toString(),
            out.resolve("out.gguf").toString(),
            "--type",
            "Q2_K",
            "--threads",
            "1"));
    return new ProcessBuilder(command).redirectError(folder.resolve("err").toFile()).start();
  }

  private List<Path> written() throws IOException {
    try (Stream<Path> files = Files.list(out)) {
      return files.toList();
    }
  }

  /** Waits until the quantizer writes, and sends it {@code signal} at that moment. */
  private void signalOnceItWrites(Process process, String signal) throws Exception {
    while (written().isEmpty()) {
      assertThat(process.isAlive()).as("it ended before it wrote").isTrue();
      TimeUnit.MILLISECONDS.sleep(1);
    }
    signal(process, signal);
  }

  private String lastLine() throws IOException {
    return Files.readAllLines(folder.resolve("err")).getLast();
  }

  @Test
  void anInterruptLeavesNothing() throws Exception {
    Process process = quantize("");
    signalOnceItWrites(process, "INT");

    assertThat(end(process)).isEqualTo(130);
    assertThat(written()).isEmpty();
  }

  @Test
  void aFileThatMayNotGrowLeavesNothingAndOneLine() throws Exception {
    Process process = quantize("ulimit -f 256;");

    assertThat(end(process)).isEqualTo(1);
    assertThat(written()).isEmpty();
    assertThat(lastLine())
        .startsWith("ridgeline: " + out.resolve("out.gguf"))
        .contains("too large");
  }

  /** Full from the start is said before anything is written; here it fills up meanwhile. */
  @Test
  void aDiskThatFillsUpLeavesNothingAndOneLine() throws Exception {
    assumeTrue(mount(), "mounting a small file system needs root");
    try {
      Process process = quantize("");
      signalOnceItWrites(process, "STOP");
      run("dd if=/dev/zero of='%s' bs=64k".formatted(out.resolve("filler")));
      signal(process, "CONT");

      assertThat(end(process)).isEqualTo(1);
      assertThat(written()).containsExactly(out.resolve("filler"));
      assertThat(lastLine())
          .startsWith("ridgeline: " + out.resolve("out.gguf"))
          .contains("No space left on device");
    } finally {
      run("umount '%s'".formatted(out));
    }
  }

  @Test
  void aDiskWithoutRoomIsSaidBeforeAnythingIsWritten() throws Exception {
    assumeTrue(mount(), "mounting a small file system needs root");
    try {
      run("dd if=/dev/zero of='%s' bs=64k".formatted(out.resolve("filler")));

      assertThat(end(quantize(""))).isEqualTo(1);
      assertThat(written()).containsExactly(out.resolve("filler"));
      assertThat(lastLine()).contains("needs 1 MB").contains("has room for 0 MB");
    } finally {
      run("umount '%s'".formatted(out));
    }
  }

  private boolean mount() throws Exception {
    return run("mount -t tmpfs -o size=4m ridgeline-test '%s'".formatted(out)) == 0;
  }

  private static int run(String shell) throws Exception {
    return new ProcessBuilder("bash", "-c", shell)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
