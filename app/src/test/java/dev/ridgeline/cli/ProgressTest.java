package dev.ridgeline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final StringWriter out = new StringWriter();
  private final PrintWriter err = new PrintWriter(out);

  @Test
  void theBarFillsAndGoesAway() {
    var progress = new Progress(err, 80, 0);
    progress.bytes("loading", 512 << 20, 1 << 30);
    assertThat(out.toString())
        .contains("loading [===============               ] 512.0 MiB of 1.0 GiB");
    progress.clear();
    assertThat(out.toString()).endsWith("\r\u001b[2K");
  }

  @Test
  void aLineIsNeverAsWideAsTheTerminal() {
    new Progress(err, 20, 0).bytes("loading", 1, 1 << 30);
    assertThat(out.toString().replace("\r\u001b[2K", "")).hasSize(19);
  }

  @Test
  void quickWorkAndPipesSeeNothing() {
    var quick = new Progress(err, 80, Long.MAX_VALUE / 2);
    quick.accept("loading");
    quick.clear();
    var piped = new Progress(err, 0, 0);
    piped.accept("loading");
    piped.clear();
    assertThat(out.toString()).isEmpty();
  }
}
