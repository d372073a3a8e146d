package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.lab.history.Entry;
import dev.ridgeline.lab.report.Decisions;
import dev.ridgeline.lab.report.Findings;
import dev.ridgeline.lab.report.LengthFindings;
import dev.ridgeline.lab.report.ReportFolder;
import dev.ridgeline.lab.report.VariantFindings;
import dev.ridgeline.lab.study.LabRecord;
import dev.ridgeline.lab.study.Quantizations;
import dev.ridgeline.lab.study.RecordFile;
import dev.ridgeline.lab.study.Study;
import dev.ridgeline.lab.study.StudyPlan;
import dev.ridgeline.lab.study.StudyProgress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline study}. */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    description = {
      "Quantizes one model in several ways, measures how fast, how good and how big each is here,"
          + " what limits it, and writes a folder with the report.",
      "Interrupted, it goes on where it was when called again. PLAN.yaml may set model, variants, runs"
          + " ({tokens: runs}), prompt_tokens, backend, threads, device, kv_type, text, quality_tokens,"
          + " quality_window, warmup_seconds.",
      "Without a plan: Q2_K, Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 and hybrid; 5 runs of 256 tokens, 3 of 512,"
          + " 2 of 1024."
    })
final class StudyCommand implements Callable<Integer> {
  @Parameters(paramLabel = "PLAN.yaml", arity = "0..1", description = "What to measure.")
  private @Nullable Path planFile;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "The source: a GGUF file in F32, F16, BF16 or Q8_0.")
  private @Nullable Path model;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "The report's folder. Default: study-NAME in the current folder.")
  private @Nullable Path out;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "Measure quality on this text. Default: text that the source writes itself.")
  private @Nullable Path text;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "auto, cpu, vulkan or reference. Default: the plan's, or auto.")
  private @Nullable String backend;

  @Option(names = "--archive", description = "Zip the report's folder.")
  private boolean archive;

  @Mixin private HistoryArgument history = new HistoryArgument();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    StudyPlan plan = plan();
    Path folder = out == null ? defaultFolder(plan.model()) : out;
    PrintWriter err = spec.commandLine().getErr();
    // Records have milliseconds.
    Instant start = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    RecordFile.Contents records;
    var reporter = new Reporter(err);
    var interrupted = new Thread(() -> reporter.interrupted(folder), "study-interrupted");
    Runtime.getRuntime().addShutdownHook(interrupted);
    try (Backend machine = Backends.open(plan.backend(), plan.options())) {
      records = new Study(plan, folder, new Quantizations(), machine, reporter).run();
    } finally {
      forget(interrupted);
    }
    Findings findings = ReportFolder.write(folder);
    PrintWriter out = spec.commandLine().getOut();
    new Decisions(findings).tree().forEach(out::println);
    out.println("report: " + folder.resolve("report.html") + ", " + folder.resolve("REPORT.md"));
    if (archive) {
      out.println("archive: " + ReportFolder.archive(folder));
    }
    out.flush();
    history.add(err, () -> entries(findings, records, start));
    boolean whole = findings.variants().stream().allMatch(v -> v.failures().isEmpty());
    if (!whole) {
      err.println(
          "ridgeline: some cells failed; the report names them, and the same call tries them again");
      err.flush();
    }
    return whole ? 0 : Errors.FAILED;
  }

  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // it is running: the process ends
    }
  }

  private StudyPlan plan() throws IOException {
    Path source = model;
    StudyPlan plan;
    if (planFile != null) {
      plan = StudyPlan.read(planFile, source);
    } else if (source != null) {
      plan = StudyPlan.of(source);
    } else {
      throw new Errors.InputException(
          "no model; name a GGUF file in F32, F16, BF16 or Q8_0 with -m, or a PLAN.yaml that does");
    }
    if (text != null) {
      plan = plan.withText(text);
    }
    return backend == null ? plan : plan.with(backend, plan.options(), plan.kvType());
  }

  private static Path defaultFolder(Path model) {
    Path file = model.getFileName();
    String name = file == null ? "model" : file.toString().replaceFirst("\\.gguf$", "");
    return Path.of("study-" + name);
  }

  /** What a study does, as lines for people. */
  private static final class Reporter implements StudyProgress {
    private final PrintWriter err;
    private final Progress progress;
    private volatile String reached = "";

    Reporter(PrintWriter err) {
      this.err = err;
      this.progress = new Progress(err);
    }

    @Override
    public void say(String what) {
      progress.accept(what);
    }

    @Override
    public void cell(String id, int done, int total) {
      reached = "%d of %d cells done".formatted(done, total);
      progress.accept(reached + "; " + id);
    }

    @Override
    public void failed(String id, String reason) {
      line(id + " failed: " + reason);
    }

    @Override
    public void damaged(int line, String reason) {
      line("records.jsonl, line " + line + " is skipped: " + reason);
    }

    @Override
    public void done() {
      progress.clear();
    }

    /** In the thread that ends the process. */
    void interrupted(Path folder) {
      line(
          reached.isEmpty()
              ? "interrupted; the same call goes on"
              : "interrupted, %s; the same call goes on, 'ridgeline report %s' shows what there is"
                  .formatted(reached, folder));
    }

    private void line(String text) {
      progress.clear();
      err.println("ridgeline: " + text);
      err.flush();
    }
  }

  /** Lengths with a run of this call: what an earlier call measured is in the store already. */
  private static List<Entry> entries(
      Findings findings, RecordFile.Contents records, Instant start) {
    List<Entry> entries = new ArrayList<>();
    for (VariantFindings v : findings.variants()) {
      for (LengthFindings l : v.lengths()) {
        boolean isNew =
            l.records().stream()
                .anyMatch(id -> !Instant.parse(records.get(id).time()).isBefore(start));
        if (isNew && !l.estimated()) {
          entries.add(entry(findings.session(), v.name(), l, start));
        }
      }
    }
    return entries;
  }

  private static Entry entry(LabRecord.Session s, String variant, LengthFindings l, Instant start) {
    LabRecord.Run run = l.runs().getFirst();
    return new Entry(
        0,
        start,
        "study",
        s.machine(),
        s.model(),
        s.modelHash(),
        variant,
        new Entry.Flags(run.backend(), run.threads(), s.promptTokens(), s.kvType()),
        0,
        l.tokens(),
        0,
        l.runs().stream().map(LabRecord.Run::tokensPerSecond).toList(),
        run.bytesPerToken(),
        l.utilization().shareOfLimit());
  }
}
