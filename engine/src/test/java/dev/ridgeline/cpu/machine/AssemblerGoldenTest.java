package dev.ridgeline.cpu.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The assembler's bytes against those of GNU as, recorded by dev/record-assembler. */
class AssemblerGoldenTest {
  @Test
  void everyInstructionIsEncodedAsGnuAsDoes() throws IOException {
    var ours = new LinkedHashMap<String, String>();
    AssemblerCases.all()
        .forEach(
            (text, emit) -> {
              var a = new Assembler();
              emit.accept(a);
              ours.put(text, HexFormat.of().formatHex(a.finish()));
            });
    Map<String, String> theirs = recorded();
    assertThat(ours.keySet()).as("recorded instructions").hasSameElementsAs(theirs.keySet());
    theirs.forEach((text, bytes) -> assertThat(ours.get(text)).as(text).isEqualTo(bytes));
  }

  private static Map<String, String> recorded() throws IOException {
    var lines = new LinkedHashMap<String, String>();
    try (var in =
            AssemblerGoldenTest.class.getResourceAsStream(
                "/dev/ridgeline/cpu/machine/assembler.txt");
        var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      reader
          .lines()
          .forEach(
              line -> {
                int bar = line.indexOf('|');
                lines.put(line.substring(bar + 2), line.substring(0, bar).strip());
              });
    }
    return lines;
  }
}
