package dev.ridgeline.lab.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.lab.MachineInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
  @TempDir private Path folder = Path.of("");

  private static Entry entry(String model, String hash, double speed) {
    return new Entry(
        0,
        Instant.parse("2026-11-21T12:00:00Z"),
        "bench",
        new MachineInfo("Linux", "a processor", 2, 1L << 34, "a JVM", "0.1.0", "abc1234"),
        model,
        hash,
        "Q4_K_M",
        new Entry.Flags("cpu", 2, 512, "f16"),
        0,
        128,
        64,
        List.of(speed, speed + 1, speed + 2),
        1e6,
        0.5);
  }

  @Test
  void whatIsKeptComesBackWithMachineHashCommitAndFlags() {
    try (History history = History.open(folder.resolve("new").resolve("h.db"))) {
      history.add(List.of(entry("m", "ffee", 10)));
    }
    try (History history = History.open(folder.resolve("new").resolve("h.db"))) {
      Entry kept = history.list(null, 10).getFirst();

      assertThat(kept)
          .usingRecursiveComparison()
          .ignoringFields("id")
          .isEqualTo(entry("m", "ffee", 10));
      assertThat(history.get(kept.id())).isEqualTo(kept);
    }
  }

  @Test
  void theListHasTheNewestOfAModelByNameVariantOrHash() {
    try (History history = History.open(folder.resolve("h.db"))) {
      history.add(
          List.of(entry("alpha", "aa11", 1), entry("beta", "bb22", 2), entry("beta", "bb22", 3)));

      assertThat(history.list("BETA", 10))
          .extracting(e -> e.speeds().getFirst())
          .containsExactly(2.0, 3.0);
      assertThat(history.list("aa1", 10)).hasSize(1);
      assertThat(history.list("q4_k", 2))
          .extracting(e -> e.speeds().getFirst())
          .containsExactly(2.0, 3.0);
      assertThat(history.list("%", 10)).isEmpty();
    }
  }

  @Test
  void anUnknownIdAndAFileThatIsNoStoreAreRefused() throws IOException {
    try (History history = History.open(folder.resolve("h.db"))) {
      assertThatThrownBy(() -> history.get(7)).hasMessageContaining("has no run 7");
    }
    Path text =
        Files.writeString(folder.resolve("text.db"), "this is no database, whatever its name says");
    assertThatThrownBy(() -> History.open(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("text.db")
        .hasMessageContaining("--history");
  }

  @Test
  void theTrendIsDrawnToPngAndSvgAndNothingElse() throws IOException {
    List<Entry> entries = List.of(entry("m", "f", 1), entry("m", "f", 2));
    TrendPlot.write(entries, folder.resolve("t.png"));
    TrendPlot.write(entries, folder.resolve("t.svg"));

    assertThat(folder.resolve("t.png")).isNotEmptyFile();
    assertThat(folder.resolve("t.svg")).content().contains("</svg>");
    assertThatThrownBy(() -> TrendPlot.write(entries, folder.resolve("t.gif")))
        .hasMessageContaining(".png or .svg");
  }
}
