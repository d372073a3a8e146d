package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example is this file's, and runs. */
class ReadmeExampleTest {
  @TempDir private Path folder;

  private static void example(Path model) {
    // begin
    try (Engine engine = Engine.open(model);
        TokenStream tokens = engine.generate("Once upon a time")) {
      tokens.forEach(token -> System.out.print(token.text()));
      System.out.println(tokens.stats());
    }
    // end
  }

  @Test
  void theExampleRuns() throws IOException {
    Path model = TinyFile.write(folder);
    PrintStream console = System.out;
    var captured = new ByteArrayOutputStream();
    System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      example(model);
    } finally {
      System.setOut(console);
    }
    assertThat(captured.toString(StandardCharsets.UTF_8)).contains("RequestStats[");
  }

  @Test
  void theReadmeShowsIt() throws IOException {
    Path readme = Path.of("../README.md");
    Assumptions.assumeTrue(Files.exists(readme), "needs README.md beside the module");
    String source =
        Files.readString(Path.of("src/test/java/dev/ridgeline/scheduler/ReadmeExampleTest.java"));
    List<String> lines = source.lines().toList();
    int begin = lines.indexOf("    // begin") + 1;
    int end = lines.indexOf("    // end");
    String example = String.join("\n", lines.subList(begin, end)).stripIndent();
    assertThat(Files.readString(readme)).contains(example);
  }
}
