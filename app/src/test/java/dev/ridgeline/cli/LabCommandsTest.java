package dev.ridgeline.cli;

import static dev.ridgeline.cli.Outcome.ridgeline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that measure, as a user calls them. */
class LabCommandsTest {
  @TempDir private Path folder = Path.of("");

  private String model = "";

  @BeforeEach
  void model() throws IOException {
    Path path = folder.resolve("tiny.gguf");
    new Synth("tiny-llama", FileType.F16).write(path, 1);
    model = path.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "512 | 512",
        "1,2,8 | 1 2 8",
        "1-4 | 1 2 3 4",
        "128-512+128 | 128 256 384 512",
        "128-1024*2 | 128 256 512 1024",
        "0,4-4 | 0 4"
      })
  void numbersAreListsAndRanges(String text, String values) {
    assertThat(new Numbers.Converter().convert(text).values())
        .containsExactly(
            java.util.Arrays.stream(values.split(" "))
                .map(Integer::valueOf)
                .toArray(Integer[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "-1", "4-1", "1-8*1", "0-8*2", "1-9+0", "1,,2", "1-999999999"})
  void whatIsNoNumberListOrRangeIsRefused(String text) {
    assertThatThrownBy(() -> new Numbers.Converter().convert(text))
        .hasMessageContaining("expected numbers such as");
  }

  private Outcome bench(String... more) {
    return ridgeline(
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of(
                    "bench", model, "--backend", "reference", "--warmup", "0"),
                java.util.stream.Stream.of(more))
            .toArray(String[]::new));
  }

  @Test
  void benchMeasuresEveryCombinationAndDoesNotCallARowFasterOnOneRun() {
    Outcome bench = bench("-p", "4-8*2", "-n", "0", "-r", "1", "--kv-type", "f16,q8_0");

    assertThat(bench.status()).as(bench.err()).isZero();
    assertThat(bench.out().lines().filter(l -> l.startsWith("synthetic"))).hasSize(4);
    assertThat(bench.out())
        .contains("prompt 4: no row is called fastest")
        .contains("fewer than 3 runs");
    assertThat(bench.err()).contains("warmed up for");
  }

  @ParameterizedTest
  @ValueSource(strings = {"md", "csv", "json", "jsonl", "sql"})
  void benchHasEveryFormat(String format) {
    Outcome bench = bench("-p", "4", "-n", "0", "-r", "1", "--format", format);

    assertThat(bench.status()).as(bench.err()).isZero();
    assertThat(bench.out())
        .startsWith(
            switch (format) {
              case "md" -> "| model";
              case "csv" -> "model,";
              case "sql" -> "create table if not exists bench (";
              default -> "{";
            });
  }

  @Test
  void sqlOutputIsSqlThatADatabaseTakes() throws Exception {
    Outcome bench = bench("-p", "4", "-n", "2", "-r", "1", "--format", "sql");
    try (var connection = java.sql.DriverManager.getConnection("jdbc:sqlite::memory:");
        var statement = connection.createStatement()) {
      for (String line : bench.out().lines().toList()) {
        statement.execute(line);
      }
      try (var rows =
          statement.executeQuery("select count(*) from bench where tokens_per_second > 0")) {
        assertThat(rows.getInt(1)).isEqualTo(2);
      }
    }
  }

  private String rows(String name, double... speeds) throws IOException {
    Outcome bench = bench("-p", "4", "-n", "0", "-r", "3", "--format", "jsonl");
    tools.jackson.databind.node.ObjectNode row =
        (tools.jackson.databind.node.ObjectNode) Json.MAPPER.readTree(bench.out());
    row.set("samples", Json.MAPPER.valueToTree(speeds));
    row.set(
        "tokens_per_second", Json.MAPPER.valueToTree(dev.ridgeline.lab.stats.Estimate.of(speeds)));
    return Files.writeString(folder.resolve(name), row + "\n").toString();
  }

  @Test
  void compareFailsOnlyWhereARowIsSlowerBeyondChanceAndTolerance() throws IOException {
    String base = rows("base.jsonl", 100, 101, 102);
    String slower = rows("slower.jsonl", 90, 91, 92);
    String like = rows("like.jsonl", 99, 100, 101);

    assertThat(ridgeline("bench", "compare", base, slower))
        .satisfies(
            o -> {
              assertThat(o.status()).isEqualTo(1);
              assertThat(o.out()).contains("slower").contains("failed");
            });
    assertThat(ridgeline("bench", "compare", base, slower, "--tolerance", "15").status()).isZero();
    assertThat(ridgeline("bench", "compare", base, like))
        .satisfies(
            o -> {
              assertThat(o.status()).isZero();
              assertThat(o.out()).contains("not told apart").contains("passed");
            });
    assertThat(ridgeline("bench", "compare", slower, base).out()).contains("faster");
  }

  @Test
  void compareNamesTheLineThatIsNoRow() throws IOException {
    String base = rows("base.jsonl", 100, 101, 102);
    Path broken =
        Files.writeString(
            folder.resolve("broken.jsonl"), Files.readString(Path.of(base)) + "{\"model\": 3}\n");

    assertThat(ridgeline("bench", "compare", base, broken.toString()))
        .satisfies(
            o -> {
              assertThat(o.status()).isEqualTo(2);
              assertThat(o.err().lines()).hasSize(1);
              assertThat(o.err()).contains("broken.jsonl, line 2");
            });
  }

  @Test
  void theStressTestReportsWindowsDriftAndWhatItCouldNotRead() {
    Outcome stress = bench("-n", "4", "--duration", "2s", "--window", "1s");

    assertThat(stress.status()).as(stress.err()).isZero();
    assertThat(stress.out()).contains("tok/s").contains("the time was over").contains("throttling");
  }

  @Test
  void aStudyWritesItsReportKeepsItsHistoryAndTheReportCanBeWrittenAgain() throws IOException {
    Path plan =
        Files.writeString(
            folder.resolve("plan.yaml"),
            """
            variants: [Q8_0, F16]
            runs: {4: 3}
            prompt_tokens: 4
            backend: reference
            quality_tokens: 16
            quality_window: 16
            warmup_seconds: 0
            """);
    String out = folder.resolve("report").toString();
    String store = folder.resolve("h.db").toString();
    Outcome study =
        ridgeline(
            "study", plan.toString(), "-m", model, "--out", out, "--archive", "--history", store);

    assertThat(study.status()).as(study.err()).isZero();
    assertThat(study.out())
        .contains("Does only speed count?")
        .contains("report.html")
        .contains("report.zip");
    assertThat(Path.of(out).resolve("REPORT.md")).isNotEmptyFile();
    // Called again it measures nothing, and keeps nothing twice.
    assertThat(
            ridgeline("study", plan.toString(), "-m", model, "--out", out, "--history", store)
                .status())
        .isZero();
    Outcome list = ridgeline("history", "--history", store, "--format", "jsonl");
    assertThat(list.out().lines()).hasSize(2);
    assertThat(
            Json.MAPPER
                .readTree(list.out().lines().findFirst().orElseThrow())
                .get("variant")
                .asString())
        .isEqualTo("Q8_0");
    assertThat(ridgeline("history", "compare", "1", "2", "--history", store).out())
        .contains("ratio")
        .containsPattern("flags +reference, \\d+ threads?, batch \\d+, KV f16");
    assertThat(
            ridgeline("history", "plot", folder.resolve("t.svg").toString(), "--history", store)
                .status())
        .isZero();

    Files.delete(Path.of(out).resolve("REPORT.md"));
    assertThat(ridgeline("report", out).status()).isZero();
    assertThat(Path.of(out).resolve("REPORT.md")).isNotEmptyFile();
  }

  @Test
  void wrongUsageIsOneLineAndStatusTwo() {
    List<Outcome> refusals =
        List.of(
            ridgeline("study"),
            ridgeline("study", "-m", "/nowhere/m.gguf"),
            ridgeline("report", folder.toString()),
            ridgeline("bench"),
            bench("--duration", "5"),
            bench("-n", "1,2", "--duration", "5s"),
            bench("-p", "many"),
            ridgeline(
                "history", "compare", "1", "2", "--history", folder.resolve("new.db").toString()));

    assertThat(refusals)
        .allSatisfy(
            o -> {
              assertThat(o.status()).as(o.err()).isEqualTo(2);
              assertThat(o.out()).isEmpty();
              assertThat(o.err().lines()).hasSize(1);
            });
  }
}
