package dev.ridgeline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** What a command line printed and ended with. */
record Outcome(int status, String out, String err) {
  /** Runs {@code ridgeline} with {@code args} in this process. */
  static Outcome ridgeline(String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    int status =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(args);
    return new Outcome(status, out.toString(), err.toString());
  }

  JsonNode json() {
    assertThat(status).as(err).isZero();
    return Json.MAPPER.readTree(out);
  }

  /** Exit status 2, nothing on standard output, one line on standard error. */
  void isRefusal(String... parts) {
    assertThat(status).as(err).isEqualTo(2);
    assertThat(out).isEmpty();
    assertThat(err.lines()).hasSize(1);
    assertThat(err).contains(parts);
  }

  /** What is said about memory. */
  String memory() {
    return err.lines().filter(l -> l.startsWith("memory: ")).collect(Collectors.joining("\n"));
  }
}
