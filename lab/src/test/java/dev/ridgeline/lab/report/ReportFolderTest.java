package dev.ridgeline.lab.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.lab.TinyStudy;
import dev.ridgeline.lab.study.RecordFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportFolderTest {
  @TempDir private static Path temporary = Path.of("");

  private static Path folder = Path.of("");
  private static RecordFile.Contents records =
      new RecordFile.Contents(java.util.Map.of(), List.of());

  @BeforeAll
  static void study() throws IOException {
    records = TinyStudy.run(temporary);
    folder = temporary.resolve("study");
    ReportFolder.write(folder);
  }

  private static String read(String name) throws IOException {
    return Files.readString(folder.resolve(name));
  }

  @Test
  void theMatrixHasExactlyItsColumnsAndARowForEachRun() throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve("performance_matrix.csv"));

    assertThat(lines.getFirst()).isEqualTo("Model,Tokens,Run,TPS,Latency_ms,VRAM_GB,P50,P95,P99");
    assertThat(lines).hasSize(1 + 3 * 5);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      assertThat(cells).hasSize(9).doesNotContain("");
      // What a spreadsheet shows can be found in the records, and is the same there.
      String id = "run/%s/%s/%s".formatted(cells[0], cells[1], cells[2]);
      assertThat(records.records()).containsKey(id);
      double speed = java.util.Objects.requireNonNull(records.get(id).run()).tokensPerSecond();
      assertThat(Double.parseDouble(cells[3])).isEqualTo(Math.round(speed * 1000) / 1000.0);
      assertThat(Double.parseDouble(cells[4]))
          .isCloseTo(1000 / speed, org.assertj.core.data.Offset.offset(1e-4));
    }
  }

  @Test
  void everyRecordThatTheReportCitesIsThere() throws IOException {
    Set<String> cited = new TreeSet<>();
    Matcher m =
        Pattern.compile("(?:run|variant|quality|session)/[A-Z0-9_a-z/]+")
            .matcher(read("REPORT.md") + read("summary.csv"));
    while (m.find()) {
      cited.add(m.group());
    }
    cited.remove("run/Model/Tokens/Run");

    assertThat(cited).hasSizeGreaterThan(15);
    assertThat(records.records().keySet()).containsAll(cited);
  }

  @Test
  void theSummaryGivesMeanDeviationExtremesAndInterval() throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve("summary.csv"));
    List<String> head = Arrays.asList(lines.getFirst().split(","));
    List<String> row = Arrays.asList(lines.get(1).split(","));

    assertThat(row).hasSameSizeAs(head);
    double min = Double.parseDouble(row.get(head.indexOf("Min_TPS")));
    double mean = Double.parseDouble(row.get(head.indexOf("Mean_TPS")));
    double max = Double.parseDouble(row.get(head.indexOf("Max_TPS")));
    assertThat(mean).isBetween(min, max);
    assertThat(Double.parseDouble(row.get(head.indexOf("CI95_low_TPS"))))
        .isGreaterThanOrEqualTo(min);
    assertThat(Double.parseDouble(row.get(head.indexOf("Std_TPS")))).isNotNegative();
  }

  @Test
  void theReportSaysWhatWasLeftOutAndNamesNoPathOfThisMachine() throws IOException {
    assertThat(read("REPORT.md")).contains("Lengths of [4096] tokens are left out");
    for (String name : List.of("REPORT.md", "report.html", "summary.csv", "records.jsonl")) {
      assertThat(read(name)).doesNotContain(temporary.toString());
    }
  }

  @Test
  void theReportOfAnInterruptedStudyBeginsWithWhatIsMissing(@TempDir Path other)
      throws IOException {
    List<String> all = Files.readAllLines(folder.resolve("records.jsonl"));
    Files.write(other.resolve("records.jsonl"), all.subList(0, all.size() - 2));
    ReportFolder.write(other);
    assertThat(Files.readString(other.resolve("REPORT.md")).lines().skip(2).findFirst())
        .contains("Not whole: 2 cells have no result, see What is missing.");
    assertThat(Files.readString(other.resolve("report.html")))
        .contains("\"not_whole\":\"Not whole: 2 cells have no result, see What is missing.\"");
    assertThat(read("REPORT.md") + read("report.html")).doesNotContain("Not whole:");
  }

  @Test
  void thePageFetchesNothing() throws IOException {
    String page = read("report.html");
    String own = page.replaceAll("(?s)<script[^>]*>.*?</script>", "");

    assertThat(page).doesNotContain("<script src");
    assertThat(own).doesNotContain(" src=").doesNotContain("<link").doesNotContain("url(");
  }

  @Test
  void thePlotsArePicturesFitForPrint() throws IOException {
    for (String name :
        List.of("speed_memory", "latency", "efficiency", "speed_quality", "roofline")) {
      assertThat(ImageIO.read(folder.resolve("plots").resolve(name + ".png").toFile()).getWidth())
          .isGreaterThanOrEqualTo(2000);
      assertThat(read("plots/" + name + ".svg")).startsWith("<?xml").contains("</svg>");
    }
  }

  @Test
  void theArchiveHasTheReportAndNoModel() throws IOException {
    try (var zip = new ZipFile(ReportFolder.archive(folder).toFile())) {
      List<String> names = zip.stream().map(java.util.zip.ZipEntry::getName).toList();

      assertThat(names)
          .contains("study/records.jsonl", "study/report.html", "study/plots/roofline.svg")
          .noneMatch(n -> n.endsWith(".gguf"));
    }
  }

  @Test
  void aFolderWithoutAStudyIsRefused() {
    assertThatThrownBy(() -> ReportFolder.write(temporary))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no records.jsonl");
  }
}
