package dev.ridgeline.lab.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.PlacedBackend;
import dev.ridgeline.lab.TinyStudy;
import dev.ridgeline.lab.report.Findings;
import dev.ridgeline.lab.report.LengthFindings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StudyTest {
  /** 3 files, 3 x (3 + 2) runs, 3 qualities. */
  private static final int CELLS = 21;

  @TempDir private static Path shared = Path.of("");

  private static RecordFile.Contents contents = new RecordFile.Contents(Map.of(), List.of());

  @TempDir private Path folder = Path.of("");

  @BeforeAll
  static void study() throws IOException {
    contents = TinyStudy.run(shared);
  }

  /** The finished study, to damage it or to go on with it. */
  private void copyOfFinished() throws IOException {
    Files.copy(TinyStudy.source(shared), folder.resolve("source.gguf"));
    Files.createDirectories(folder.resolve("study"));
    Files.copy(shared.resolve("study").resolve(Study.RECORDS), records());
  }

  private Path records() {
    return folder.resolve("study").resolve(Study.RECORDS);
  }

  private static Set<String> cells(RecordFile.Contents contents) {
    return contents.records().keySet().stream()
        .filter(id -> !id.startsWith("session/"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void everyCellOfThePlanHasARecordWithItsFigures() {
    assertThat(cells(contents)).hasSize(CELLS);
    assertThat(contents.records().values()).allMatch(LabRecord::isUsable);
    LabRecord.Run run = Objects.requireNonNull(contents.get("run/Q8_0/3/2").run());
    assertThat(run.gapNanos()).hasSize(3).doesNotContain(0);
    assertThat(run.ttftSeconds()).isPositive();
    assertThat(run.bytesPerToken()).isPositive();
  }

  @Test
  void theSourceDoesNotDivergeFromItselfAndFourBitsDivergeMoreThanEight() {
    double source = kld("F16");
    assertThat(source).isZero();
    assertThat(kld("Q4_0")).isGreaterThan(kld("Q8_0")).isPositive();
    assertThat(Objects.requireNonNull(contents.get("quality/F16").quality()).topAgreement())
        .isEqualTo(1);
  }

  private static double kld(String variant) {
    return Objects.requireNonNull(contents.get("quality/" + variant).quality()).kldMean();
  }

  @Test
  void lengthsPastTheContextAreLeftOutAndSaidSo() {
    LabRecord.Session session = Objects.requireNonNull(contents.get("session/1").session());

    assertThat(session.leftOut()).containsExactly(4096);
    assertThat(session.runs()).containsOnlyKeys(2, 3);
  }

  @Test
  void quantizedFilesAreGoneOnceAllCellsAreMeasured() {
    assertThat(shared.resolve("study").resolve("models")).doesNotExist();
    assertThat(TinyStudy.source(shared)).exists();
  }

  @Test
  void aStudyKilledAtRandomMomentsAndResumedGivesTheSameCells() throws Exception {
    Path whole = Files.createDirectories(folder.resolve("whole"));
    long start = System.nanoTime();
    assertThat(process(whole).waitFor()).isZero();
    long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    long seed = System.nanoTime();
    var random = new Random(seed);
    Path killed = Files.createDirectories(folder.resolve("killed"));
    Files.copy(
        TinyStudy.source(whole),
        killed.resolve("source.gguf"),
        StandardCopyOption.REPLACE_EXISTING);
    Path file = killed.resolve("study").resolve(Study.RECORDS);
    List<String> kept = new ArrayList<>();
    for (int kill = 0; kill < 3; kill++) {
      Process process = process(killed);
      process.waitFor(random.nextLong(took / 4, took), TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      List<String> now = Files.exists(file) ? Files.readAllLines(file) : List.of();
      assertThat(now).as("seed %d, kill %d", seed, kill).containsAll(kept);
      kept = now;
    }
    assertThat(process(killed).waitFor()).isZero();

    assertThat(cells(new RecordFile(file).read()))
        .as("seed %d", seed)
        .isEqualTo(cells(new RecordFile(whole.resolve("study").resolve(Study.RECORDS)).read()))
        .hasSize(CELLS);
  }

  private static Process process(Path folder) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            // Five short lives: what C2 compiles in them does not pay.
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            TinyStudy.class.getName(),
            folder.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  @Test
  void whatIsMeasuredIsNotMeasuredAgain() throws IOException {
    copyOfFinished();
    List<String> before = Files.readAllLines(records());
    TinyStudy.run(folder);

    assertThat(Files.readAllLines(records()))
        .startsWith(before.toArray(String[]::new))
        .hasSize(before.size() + 1);
  }

  @ParameterizedTest
  @CsvSource({"cut, the line is cut", "flip, the line was changed", "text, the line is cut"})
  void aDamagedRecordIsNamedSkippedAndMeasuredAgain(String damage, String reason)
      throws IOException {
    copyOfFinished();
    List<String> lines = new ArrayList<>(Files.readAllLines(records()));
    String line = lines.get(5);
    lines.set(
        5,
        switch (damage) {
          case "cut" -> line.substring(0, line.length() / 2);
          case "flip" -> line.replace("\"status\":\"ok\"", "\"status\":\"OK\"");
          default -> "#!/bin/sh";
        });
    Files.write(records(), lines);

    RecordFile.Contents damaged = new RecordFile(records()).read();
    assertThat(damaged.damages())
        .singleElement()
        .satisfies(
            d -> {
              assertThat(d.line()).isEqualTo(6);
              assertThat(d.reason()).contains(reason);
            });
    assertThat(cells(damaged)).hasSize(CELLS - 1);
    assertThat(cells(TinyStudy.run(folder))).hasSize(CELLS);
  }

  @Test
  void aRecordAfterOneThatWasCutStandsOnALineOfItsOwn() throws IOException {
    copyOfFinished();
    String text = Files.readString(records());
    Files.writeString(records(), text.substring(0, text.length() - 20));

    RecordFile.Contents again = TinyStudy.run(folder);
    assertThat(again.damages()).hasSize(1);
    assertThat(cells(again)).hasSize(CELLS);
  }

  /** Makes all but one. */
  private static final class Breaking implements VariantMaker {
    private final Quantizations real = new Quantizations();

    @Override
    public void check(String variant) {
      real.check(variant);
    }

    @Override
    public void make(Path source, String variant, Path out, DoubleConsumer progress)
        throws IOException {
      if (variant.equals("Q4_0")) {
        throw new IOException("No space left on device");
      }
      real.make(source, variant, out, progress);
    }
  }

  @Test
  void aCellThatFailsIsARecordWithItsReasonAndALaterCallTriesItAgain() throws IOException {
    RecordFile.Contents failed;
    try (Backend machine = TinyStudy.machine()) {
      failed =
          new Study(
                  TinyStudy.plan(folder),
                  folder.resolve("study"),
                  new Breaking(),
                  machine,
                  StudyProgress.NONE)
              .run();
    }

    assertThat(cells(failed)).hasSize(CELLS);
    assertThat(failed.get("run/Q4_0/2/1"))
        .satisfies(
            r -> {
              assertThat(r.status()).isEqualTo(LabRecord.FAILED);
              assertThat(r.note()).isEqualTo("No space left on device");
            });
    assertThat(failed.usable("run")).hasSize(10);
    assertThat(TinyStudy.run(folder).records().values()).allMatch(LabRecord::isUsable);
  }

  private RecordFile.Contents on(Backend backend, StudyPlan plan) throws IOException {
    try (backend) {
      return new Study(
              plan, folder.resolve("study"), new Quantizations(), backend, StudyProgress.NONE)
          .run();
    }
  }

  /** A device of so much memory beside a processor. */
  private static Backend smallDevice(long availableBytes) {
    return new PlacedBackend(
        new PlacedBackend.Choice(
            List.of(() -> TinyStudy.backend("small", availableBytes)),
            List.of(1.0),
            () -> TinyStudy.backend("processor", null),
            BackendOptions.AUTO_LAYERS,
            false));
  }

  /** The tiny model's F16 weights are 4.3 MB, its Q8_0 weights 2.3. */
  private static final long ROOM_FOR_ALL_BUT_F16 = 4_300_000;

  @Test
  void aVariantThatDoesNotFitIsMeasuredWithLayersOnTheProcessorAndMarked() throws IOException {
    RecordFile.Contents contents = on(smallDevice(ROOM_FOR_ALL_BUT_F16), TinyStudy.plan(folder));
    LabRecord record = Objects.requireNonNull(contents.get("run/F16/2/1"));
    LabRecord.Run run = Objects.requireNonNull(record.run());

    assertThat(record.status()).isEqualTo(LabRecord.OK);
    assertThat(record.note())
        .contains("does not fit small")
        .contains("measured with layers 0 to 0 of 3 on processor")
        .contains("layers 1 to 2 of 3 on small");
    assertThat(run.backend()).isEqualTo("processor+small");
    assertThat(run.gapNanos()).hasSize(2);
    assertThat(run.gpuBytes()).isBetween(1L, ROOM_FOR_ALL_BUT_F16);
    LabRecord whole = contents.get("run/Q8_0/2/1");
    assertThat(whole.note()).isNull();
    assertThat(Objects.requireNonNull(whole.run()).backend()).isEqualTo("small");
    assertThat(contents.usable("quality")).hasSize(3);
    assertThat(Findings.of(contents).variants())
        .extracting(v -> v.lengths().getFirst().mark())
        .containsExactly("", "", LengthFindings.FALLBACK);
  }

  @Test
  void whereNotOneLayerFitsAllIsMeasuredOnTheProcessor() throws IOException {
    LabRecord record = on(smallDevice(500_000), TinyStudy.plan(folder)).get("run/Q8_0/2/1");

    assertThat(record.note()).contains("does not fit small").contains("on processor instead");
    assertThat(Objects.requireNonNull(record.run()).backend()).isEqualTo("processor");
    assertThat(Objects.requireNonNull(record.run()).gpuBytes()).isNull();
  }

  @Test
  void withoutAFallbackItIsEstimatedFromTheVariantsThatWereMeasured() throws IOException {
    Path plan = folder.resolve("plan.yaml");
    Files.writeString(
        plan,
        "variants: [Q8_0, F32]\nruns: {2: 1}\nprompt_tokens: 4\nquality_tokens: 0\nwarmup_seconds: 0\n");
    // Room for the source, not for the 8.3 MB of weights in float32.
    RecordFile.Contents contents =
        on(TinyStudy.backend("small", 6_000_000L), StudyPlan.read(plan, TinyStudy.source(folder)));
    LabRecord run = Objects.requireNonNull(contents.get("run/F32/2/1"));

    assertThat(run.status()).isEqualTo(LabRecord.ESTIMATED);
    assertThat(run.note())
        .contains("does not fit small")
        .contains("estimated")
        .contains("median share");
    assertThat(Objects.requireNonNull(run.run()).gapNanos()).isEmpty();
    assertThat(Objects.requireNonNull(contents.get("run/Q8_0/2/1")).status())
        .isEqualTo(LabRecord.OK);
  }

  @Test
  void anotherPlanInTheSameFolderIsRefused() throws IOException {
    copyOfFinished();
    StudyPlan other =
        StudyPlan.of(TinyStudy.source(folder))
            .with("reference", BackendOptions.DEFAULTS, dev.ridgeline.backend.KvType.F16);

    assertThatThrownBy(() -> TinyStudy.run(other, folder.resolve("study")))
        .hasMessageContaining("holds another study")
        .hasMessageContaining("--out");
  }

  @Test
  void aPlanFileIsReadWithDefaultsForWhatItLeavesOut() throws IOException {
    Path file = folder.resolve("plan.yaml");
    Files.writeString(file, "model: m.gguf\nvariants: [Q8_0]\nruns: {64: 2}\nkv_type: q8_0\n");
    StudyPlan plan = StudyPlan.read(file, null);

    assertThat(plan.model()).isEqualTo(folder.toAbsolutePath().resolve("m.gguf"));
    assertThat(plan.runs()).containsExactly(Map.entry(64, 2));
    assertThat(plan.promptTokens()).isEqualTo(128);
    assertThat(StudyPlan.of(Path.of("m")).runs()).containsOnlyKeys(256, 512, 1024);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lenghts: {1: 2} | key 'lenghts' is not known",
        "runs: [1, 2] | runs: expected runs by tokens",
        "variants: Q8_0 | variants: expected a list",
        "threads: many | threads: expected a whole number",
        "kv_type: f64 | kv_type: expected f16 or q8_0",
        "a: [ | is not YAML",
        "runs: {256: 0} | runs: of 256 tokens: expected 1 or more",
        "threads: 2 | no model"
      })
  void aPlanThatMakesNoSenseIsRefusedWithItsFileAndWhatWasExpected(String yaml, String message)
      throws IOException {
    Path file = Files.writeString(folder.resolve("plan.yaml"), yaml + "\n");

    assertThatThrownBy(() -> StudyPlan.read(file, yaml.equals("threads: 2") ? null : Path.of("m")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("plan.yaml")
        .hasMessageContaining(message);
  }
}
