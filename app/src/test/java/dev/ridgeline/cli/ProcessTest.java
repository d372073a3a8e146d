package dev.ridgeline.cli;

import static dev.ridgeline.testing.ChildJvm.end;
import static dev.ridgeline.testing.ChildJvm.signal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.testing.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a process of its own shows: signals, closed pipes, files that change under it. */
class ProcessTest {
  @TempDir private Path folder = Path.of("");

  private Process start(String... args) throws IOException {
    return start(Redirect.PIPE, Map.of(), args);
  }

  private Process start(Redirect out, Map<String, String> environment, String... args)
      throws IOException {
    var builder =
        new ProcessBuilder(ChildJvm.command(Main.class.getName(), args))
            .directory(folder.toFile())
            .redirectOutput(out)
            .redirectError(folder.resolve("err").toFile());
    builder.environment().putAll(environment);
    return builder.start();
  }

  /** What went wrong: standard error without what is said about every model and every JVM. */
  private List<String> err() throws IOException {
    return Files.readAllLines(folder.resolve("err")).stream()
        .filter(line -> !line.matches("WARNING: Using incubator.*|memory: .*|slower than .*"))
        .toList();
  }

  private static String read(InputStream in, int bytes) throws IOException {
    return new String(in.readNBytes(bytes), StandardCharsets.UTF_8);
  }

  private static String[] endless(Path model, String backend) {
    return new String[] {
      "run", "Once upon a time", "-m", model.toString(), "--backend", backend, "--ignore-eos"
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void aModelTruncatedUnderARunningProgramEndsItWithOneLine(String backend) throws Exception {
    assumeTrue(
        System.getProperty("os.name").equals("Linux"), "only Linux makes writers of a file wait");
    Path model = Files.copy(BuiltinModel.path(), folder.resolve("model.gguf"));
    Process process = start(endless(model, backend));
    read(process.getInputStream(), "Once upon a time, there".length());
    try (RandomAccessFile file = new RandomAccessFile(model.toFile(), "rw")) {
      file.setLength(100_000);
    }
    process.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());

    assertThat(end(process)).isEqualTo(1);
    assertThat(err()).hasSize(1);
    assertThat(err().getFirst())
        .startsWith(
            "ridgeline: a step failed: " + model + " @ byte 100000: the file was truncated");
  }

  @Test
  void aModelTruncatedUnderAMeasurementEndsItWithOneLine() throws Exception {
    assumeTrue(
        System.getProperty("os.name").equals("Linux"), "only Linux makes writers of a file wait");
    Path model = Files.copy(BuiltinModel.path(), folder.resolve("model.gguf"));
    Process process =
        start("bench", model.toString(), "--duration", "10m", "--window", "1s", "--no-history");
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    assertThat(out.readLine()).contains("tok/s");
    try (RandomAccessFile file = new RandomAccessFile(model.toFile(), "rw")) {
      file.setLength(100_000);
    }

    assertThat(out.lines()).anyMatch(line -> line.contains("the file was truncated"));
    assertThat(end(process)).isEqualTo(1);
    assertThat(err()).isEmpty();
  }

  @Test
  void aChatTakesLinesFromAPipeAndForgetsWhatDoesNotFit() throws Exception {
    Process process = start("chat", "-n", "4", "-c", "64", "--greedy");
    try (Writer in = process.outputWriter(StandardCharsets.UTF_8)) {
      in.write("/unknown\n" + "word ".repeat(100) + "\nOnce upon a time\n/stats\n/exit\n");
    }
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(end(process)).isZero();
    assertThat(out)
        .contains("unknown command /unknown")
        .contains("expected 1 to 63 tokens", "/clear forgets the conversation")
        .contains("prompt 5 tokens");
  }

  @Test
  void textIsUtf8WhereTheSystemNamesNoCharset() throws Exception {
    Path text = Files.writeString(folder.resolve("text"), "é");
    Process process =
        start(Redirect.PIPE, Map.of("LC_ALL", "C"), "tokenize", model(), "--file", text.toString());
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(end(process)).isZero();
    assertThat(out).contains("'é'");
  }

  @Test
  void aFullDiskIsNamed() throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "needs /dev/full");
    Process process = start(Redirect.to(full.toFile()), Map.of(), "inspect", model());

    assertThat(end(process)).isEqualTo(1);
    assertThat(err())
        .containsExactly("ridgeline: cannot write to standard output: No space left on device");
  }

  private static String model() {
    return BuiltinModel.path().toString();
  }

  @Test
  void aReaderThatWentAwayEndsTheProgramQuietly() throws Exception {
    Process process = start(endless(BuiltinModel.path(), "cpu"));
    read(process.getInputStream(), 16);
    process.getInputStream().close();

    assertThat(end(process)).isEqualTo(1);
    assertThat(err()).isEmpty();
  }

  @Test
  void anInterruptEndsTheProgramAtOnceWithoutATrace() throws Exception {
    Process process = start(endless(BuiltinModel.path(), "cpu"));
    read(process.getInputStream(), 16);
    signal(process, "INT");
    process.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());

    assertThat(end(process)).isEqualTo(130);
    assertThat(err()).isEmpty();
  }

  @Test
  void anInterruptedStressTestPrintsItsSummary() throws Exception {
    Process process =
        start("bench", model(), "--duration", "10m", "--window", "1s", "--backend", "cpu");
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    assertThat(out.readLine()).contains("tok/s");
    signal(process, "INT");

    assertThat(out.lines())
        .anyMatch(line -> line.equals("stopped: interrupted"))
        .anyMatch(line -> line.contains("throttling"));
    assertThat(end(process)).isEqualTo(130);
    assertThat(err()).isEmpty();
  }

  @Test
  void anInterruptedStudySaysThatTheSameCallGoesOn(@TempDir Path other) throws Exception {
    Path source = other.resolve("in.gguf");
    new Synth("tiny-llama", FileType.F16).write(source, 1);
    Path out = other.resolve("study");
    Process process =
        start("study", "-m", source.toString(), "-o", out.toString(), "--backend", "cpu");
    while (!Files.exists(out)) {
      assertThat(process.isAlive()).as("it ended before it began").isTrue();
      TimeUnit.MILLISECONDS.sleep(1);
    }
    signal(process, "INT");

    assertThat(end(process)).isEqualTo(130);
    assertThat(err()).containsExactly("ridgeline: interrupted; the same call goes on");
  }
}
