package dev.ridgeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The completion script, asked by bash itself. */
class CompletionTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void bashCompletesCommandsOptionsValuesAndFiles() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "needs /bin/bash");
    Files.writeString(folder.resolve("model.gguf"), "");

    assertThat(complete("ru")).containsExactly("run");
    assertThat(complete("run", "--te")).containsExactly("--temp");
    assertThat(complete("run", "--backend", "c")).containsExactly("cpu");
    assertThat(complete("run", "--kv-type", "")).containsExactly("F16", "Q8_0");
    assertThat(complete("run", "-m", "mod")).containsExactly("model.gguf");
    assertThat(complete("synth", "tiny-gemma")).containsExactly("tiny-gemma2", "tiny-gemma3");
  }

  private List<String> complete(String... words) throws IOException, InterruptedException {
    var script = new StringWriter();
    Main.commandLine().setOut(new PrintWriter(script)).execute("generate-completion");
    String ask =
        """

        compopt() { :; } # bash allows it only while it completes
        COMP_WORDS=(ridgeline "$@")
        COMP_CWORD=$#
        COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}
        _complete_ridgeline
        printf '%s\\n' "${COMPREPLY[@]}"
        """;
    Path file = Files.writeString(folder.resolve("complete.bash"), script + ask);
    List<String> command =
        Stream.concat(Stream.of("/bin/bash", file.toString()), Stream.of(words)).toList();
    Process bash = new ProcessBuilder(command).directory(folder.toFile()).start();
    String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).isZero();
    return out.lines().toList();
  }
}
