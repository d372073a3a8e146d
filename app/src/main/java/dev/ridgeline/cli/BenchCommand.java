package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.Spread;
import dev.ridgeline.model.Model;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
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
    description = {
      "Measures prompt and generation speed, beside what the machine could do at most.",
      "A row for each prompt length and each generation length, at each depth; repeats go round"
          + " over the rows."
    })
final class BenchCommand implements Callable<Integer> {
  private static final double AUTO_WARMUP_SECONDS = 20;

  @Parameters(paramLabel = "MODEL", arity = "1..*", description = "GGUF files.")
  private List<Path> models = List.of();

  @Option(
      names = "-p",
      split = ",",
      paramLabel = "N",
      description = "Prompt lengths. Default: 512.")
  private List<Integer> prompts = List.of(512);

  @Option(
      names = "-n",
      split = ",",
      paramLabel = "N",
      description = "Generation lengths. Default: 128.")
  private List<Integer> generates = List.of(128);

  @Option(
      names = "-d",
      split = ",",
      paramLabel = "N",
      description = "Tokens already in the KV cache. Default: 0.")
  private List<Integer> depths = List.of(0);

  @Option(names = "-r", paramLabel = "N", description = "Measured runs of each row. Default: 5.")
  private int repeats = 5;

  @Option(
      names = {"-b", "--batch"},
      paramLabel = "N",
      description = "Most prompt tokens in one step. Default: 512.")
  private int batch = 512;

  @Option(
      names = "--warmup",
      paramLabel = "T",
      description =
          "auto (until three runs agree within 3 %%, 20 s at most), or seconds. Default: auto.")
  private String warmup = "auto";

  @Option(
      names = "--format",
      paramLabel = "F",
      description = "text, json, jsonl, csv or md. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  /** One row as the JSON contract names it. */
  record Result(
      String model,
      String backend,
      int threads,
      int promptTokens,
      int generateTokens,
      int depth,
      Spread tokensPerSecond,
      double bytesPerToken,
      double flopsPerToken,
      double gigabytesPerSecond,
      double gigaflopsPerSecond,
      String limit,
      double shareOfLimit) {}

  record Machine(
      String backend, int threads, double readGigabytesPerSecond, double gigaflopsPerSecond) {}

  record Output(Machine machine, List<Result> results) {}

  @Override
  public Integer call() {
    var plan =
        new Bench.Plan(prompts, generates, depths, repeats, batch, warmupSeconds(), backend.kvType);
    var results = new ArrayList<Result>();
    try (Backend b = Backends.open(backend.backend, backend.options())) {
      Progress progress = new Progress(spec.commandLine().getErr());
      progress.accept("measuring the machine");
      MachineLimits limits = b.measureLimits();
      for (Path path : models) {
        try (GgufFile file = GgufFile.open(path)) {
          Model model = Model.read(file.metadata(), file.tensors());
          try (Bench bench = new Bench(file, model, b, plan)) {
            Bench.Result result = bench.run(plan, m -> progress.accept(model.name() + ": " + m));
            progress.clear();
            report(model, result);
            result.rows().forEach(r -> results.add(row(model, b, limits, r)));
          }
        }
      }
      print(new Output(machine(b, limits), results));
    }
    return 0;
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

  private static Machine machine(Backend b, MachineLimits limits) {
    return new Machine(
        b.name() + ": " + b.description(),
        b.threads(),
        limits.readBytesPerSecond() / 1e9,
        limits.flopsPerSecond() / 1e9);
  }

  private void report(Model model, Bench.Result result) {
    spec.commandLine()
        .getErr()
        .println(
            Text.number(
                "%s: warmed up for %.1f s%s",
                model.name(),
                result.warmupSeconds(),
                result.steady() ? "" : "; the runs did not become steady in that time"));
  }

  private static Result row(Model model, Backend b, MachineLimits limits, Bench.Row r) {
    double bytes = r.cost().memoryBytes();
    double flops = r.cost().flops();
    double seconds = r.seconds().median();
    return new Result(
        model.name(),
        b.name(),
        b.threads(),
        r.promptTokens(),
        r.generateTokens(),
        r.depth(),
        r.tokensPerSecond(),
        r.bytesPerToken(),
        r.flopsPerToken(),
        bytes / seconds / 1e9,
        flops / seconds / 1e9,
        limits.limit(bytes, flops).name().toLowerCase(Locale.ROOT),
        limits.floorSeconds(bytes, flops) / seconds);
  }

  private void print(Output output) {
    PrintWriter out = spec.commandLine().getOut();
    switch (format) {
      case JSON -> Json.print(out, output);
      case JSONL -> output.results.forEach(r -> Json.printLine(out, r));
      case TEXT, MD, CSV -> table(output).print(out, format);
    }
    out.flush();
  }

  private static Table table(Output output) {
    var table =
        new Table(
            "model",
            "backend",
            "threads",
            "test",
            "tok/s",
            "low",
            "high",
            "MB/token",
            "GFLOP/token",
            "GB/s",
            "limit",
            "share of limit");
    for (Result r : output.results) {
      String test =
          (r.promptTokens > 0 ? "prompt " + r.promptTokens : "generate " + r.generateTokens)
              + (r.depth > 0 ? " at " + r.depth : "");
      table.add(
          r.model,
          r.backend,
          r.threads,
          test,
          Text.significant(r.tokensPerSecond.median()),
          Text.significant(r.tokensPerSecond.low()),
          Text.significant(r.tokensPerSecond.high()),
          Text.significant(r.bytesPerToken / 1e6),
          Text.significant(r.flopsPerToken / 1e9),
          Text.significant(r.gigabytesPerSecond),
          r.limit.replace('_', ' '),
          // A share above 1 cannot be: the measurement, of the run or of the limit, is wrong.
          Text.number(
              "%.0f %%%s",
              r.shareOfLimit * 100, r.shareOfLimit > 1 ? " (error: above the limit)" : ""));
    }
    Machine m = output.machine;
    table.note(
        Text.number(
            "limits measured here, %d threads: %.1f GB/s read, %.0f GFLOP/s (%s)",
            m.threads, m.readGigabytesPerSecond, m.gigaflopsPerSecond, m.backend));
    return table;
  }
}
