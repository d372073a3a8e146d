package dev.ridgeline.lab;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.lab.study.Quantizations;
import dev.ridgeline.lab.study.RecordFile;
import dev.ridgeline.lab.study.Study;
import dev.ridgeline.lab.study.StudyMachine;
import dev.ridgeline.lab.study.StudyPlan;
import dev.ridgeline.lab.study.StudyProgress;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A study of a tiny random model on the reference backend: a second or two. */
public final class TinyStudy {
  private TinyStudy() {}

  /** A tiny source in {@code folder}. */
  public static Path source(Path folder) {
    Path source = folder.resolve("source.gguf");
    try {
      if (!Files.exists(source)) {
        new Synth("tiny-llama", FileType.F16).write(source, 1);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return source;
  }

  /** What is measured of it; of the lengths, 4096 is past its context. */
  public static StudyPlan plan(Path folder) {
    return new StudyPlan(
        source(folder),
        List.of("Q4_0", "Q8_0", "F16"),
        Map.of(8, 3, 12, 2, 4096, 1),
        8,
        "reference",
        BackendOptions.DEFAULTS,
        KvType.F16,
        null,
        32,
        16,
        0);
  }

  /** The reference backend. */
  public static StudyMachine machine() {
    return new StudyMachine(Backends.open("reference", BackendOptions.DEFAULTS), null);
  }

  /** Runs the plan of {@code folder} into its folder {@code study}. */
  public static RecordFile.Contents run(Path folder) throws IOException {
    return run(plan(folder), folder.resolve("study"));
  }

  /** Runs {@code plan} into {@code out}. */
  public static RecordFile.Contents run(StudyPlan plan, Path out) throws IOException {
    try (StudyMachine machine = machine()) {
      return new Study(plan, out, new Quantizations(), machine, StudyProgress.NONE).run();
    }
  }

  /** The same in a process of its own, which a test may kill. */
  public static void main(String[] args) throws IOException {
    run(Path.of(args[0]));
  }
}
