package dev.ridgeline.cli;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.BenchPlan;
import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.ModelHash;
import dev.ridgeline.lab.Setup;
import dev.ridgeline.lab.WarmUp;
import dev.ridgeline.lab.history.Entry;
import dev.ridgeline.model.FileType;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    subcommands = BenchCompareCommand.class,
    description = {
      "Measures prompt and generation speed, beside what the machine could do at most.",
      "A row for each prompt length and each generation length, at each depth, in each way to run it;"
          + " repeats go round over the rows.",
      "Numbers are lists or ranges: 512, or 1,2,8, or 1-4, or 128-512+128, or 128-1024*2."
    })
final class BenchCommand implements Callable<Integer> {
  private static final double AUTO_WARMUP_SECONDS = 20;

  @Parameters(paramLabel = "MODEL", arity = "0..*", description = "GGUF files.")
  private List<Path> models = List.of();

  @Option(
      names = "-p",
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Prompt lengths. Default: 512.")
  private Numbers prompts = Numbers.of(512);

  @Option(
      names = "-n",
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Generation lengths. Default: 128.")
  private Numbers generates = Numbers.of(128);

  @Option(
      names = "-d",
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Tokens already in the KV cache. Default: 0.")
  private Numbers depths = Numbers.of(0);

  @Option(
      names = "-r",
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Measured runs of each row. Default: 5.")
  private Numbers repeats = Numbers.of(5);

  @Option(
      names = {"-b", "--batch"},
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Most prompt tokens in one step. Default: 512.")
  private Numbers batches = Numbers.of(512);

  @Option(
      names = {"-t", "--threads"},
      converter = Numbers.Converter.class,
      paramLabel = "N",
      description = "Compute threads. Default: one for each physical core.")
  private Numbers threads = Numbers.of(0);

  @Option(
      names = "--backend",
      split = ",",
      paramLabel = "NAME",
      description = "auto, cpu, vulkan or reference. Default: auto.")
  private List<String> backends = List.of("auto");

  @Mixin private DeviceArguments devices = new DeviceArguments();

  @Option(
      names = "--kv-type",
      split = ",",
      paramLabel = "TYPE",
      description = "Element type of the KV cache: f16 or q8_0. Default: f16.")
  private List<KvType> kvTypes = List.of(KvType.F16);

  @Option(
      names = "--warmup",
      paramLabel = "T",
      description =
          "auto (each row until three runs agree within 3 %%, 20 s at most), or seconds. Default: auto.")
  private String warmup = "auto";

  @Option(
      names = "--format",
      paramLabel = "F",
      description = "text, json, jsonl, csv, md or sql. Default: text.")
  private TableFormat format = TableFormat.TEXT;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description =
          "Also time each kernel of one step of every row, on a GPU: tables on standard error, and a"
              + " trace in FILE for chrome://tracing or ui.perfetto.dev.")
  private @Nullable Path profile;

  @Mixin private HistoryArgument history = new HistoryArgument();

  @ArgGroup(
      exclusive = false,
      heading = "Sustained stress test, one model and one way to run it:%n")
  private StressArguments stress = new StressArguments();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (models.isEmpty()) {
      throw new Errors.InputException("no model; name one or more GGUF files, or 'bench compare'");
    }
    List<Setup> setups = setups();
    if (stress.duration != null) {
      if (setups.size() != 1 || generates.values().size() != 1 || depths.values().size() != 1) {
        throw new Errors.InputException(
            "--duration tests one model in one way: give one value to each option");
      }
      return stress.run(
          setups.getFirst(),
          generates.values().getFirst(),
          depths.values().getFirst(),
          format,
          spec.commandLine());
    }
    var plan =
        new BenchPlan(
            prompts.values(),
            generates.values(),
            depths.values(),
            repeats.values(),
            warmupSeconds());
    PrintWriter err = spec.commandLine().getErr();
    Progress progress = new Progress(err);
    List<Bench.Row> rows;
    List<Bench.Profiled> profiled;
    try (Bench bench =
        new Bench(plan, progress, (places, tokens) -> Plans.print(err, places, tokens))) {
      if (profile != null) {
        bench.profile();
      }
      rows = bench.run(setups);
      profiled = bench.profiled();
    } catch (UnsupportedOperationException e) {
      throw new Errors.InputException("--profile: " + e.getMessage());
    } finally {
      progress.clear();
    }
    report(rows);
    if (profile != null) {
      Profiles.write(profiled, profile);
      Profiles.print(profiled, spec.commandLine().getErr(), rows.getFirst().machine());
    }
    MachineInfo info = MachineInfo.here();
    List<MachineFigures> machines = rows.stream().map(Bench.Row::machine).distinct().toList();
    List<BenchResult> results = rows.stream().map(r -> BenchResult.of(r, info)).toList();
    new BenchOutput(machines.getFirst(), machines, results)
        .print(spec.commandLine().getOut(), format);
    history.add(spec.commandLine().getErr(), () -> entries(rows, info));
    return 0;
  }

  /** Every model in every way to run it. */
  private List<Setup> setups() {
    var setups = new ArrayList<Setup>();
    for (Path model : models) {
      for (String backend : backends) {
        for (int t : threads.values()) {
          for (int batch : batches.values()) {
            for (KvType kvType : kvTypes) {
              setups.add(new Setup(model, backend, devices.options(t), batch, kvType));
            }
          }
        }
      }
    }
    return setups;
  }

  private double warmupSeconds() {
    if (warmup.equals("auto")) {
      return AUTO_WARMUP_SECONDS;
    }
    try {
      double seconds = Double.parseDouble(warmup);
      if (seconds >= 0 && seconds < 3600) {
        return seconds;
      }
    } catch (NumberFormatException e) {
      // said below, as for any other value out of range
    }
    throw new Errors.InputException(
        "--warmup: expected auto or seconds from 0 to 3600, found '" + warmup + "'");
  }

  private void report(List<Bench.Row> rows) {
    double seconds = rows.stream().map(Bench.Row::warmUp).mapToDouble(WarmUp::seconds).sum();
    long unsteady = rows.stream().filter(r -> !r.warmUp().steady()).count();
    spec.commandLine()
        .getErr()
        .println(
            Text.number(
                "warmed up for %.1f s%s",
                seconds,
                unsteady == 0
                    ? ""
                    : "; %d of %d rows did not become steady in their time"
                        .formatted(unsteady, rows.size())));
  }

  private static List<Entry> entries(List<Bench.Row> rows, MachineInfo info) {
    Map<Path, String> hashes = new HashMap<>();
    Map<Path, String> variants = new HashMap<>();
    for (Path path : rows.stream().map(r -> r.setup().model()).distinct().toList()) {
      try (GgufFile file = GgufFile.open(path)) {
        hashes.put(path, ModelHash.of(file.parts()));
        long type = file.metadata().integer("general.file_type", -1);
        variants.put(
            path,
            Arrays.stream(FileType.values())
                .filter(t -> t.id() == type)
                .map(Enum::name)
                .findFirst()
                .orElse("unknown"));
      }
    }
    Instant now = Instant.now();
    return rows.stream()
        .map(
            r ->
                Entry.of(
                    r,
                    info,
                    hashes.getOrDefault(r.setup().model(), ""),
                    variants.getOrDefault(r.setup().model(), ""),
                    now))
        .toList();
  }
}
