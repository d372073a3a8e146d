package dev.ridgeline.cli;

import dev.ridgeline.model.FileType;
import dev.ridgeline.quantize.ImportanceFile;
import dev.ridgeline.quantize.QuantizePlan;
import dev.ridgeline.quantize.Quantizer;
import dev.ridgeline.quantize.TensorPlan;
import dev.ridgeline.quantize.TensorRule;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline quantize}. */
@Command(
    name = "quantize",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a model file with other weight formats, from F32, F16, BF16 or Q8_0.",
      "The named types give each tensor the format that llama.cpp gives it; hybrid is Q5_K for the"
          + " attention matrices, the rest as in Q2_K."
    })
final class QuantizeCommand implements Callable<Integer> {
  private static final String HYBRID = "HYBRID";

  /** The names for {@code --help} and completion. */
  static final class Types implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.concat(Arrays.stream(FileType.values()).map(Enum::name), Stream.of("hybrid"))
          .iterator();
    }
  }

  @Parameters(
      index = "0",
      paramLabel = "IN",
      description = "A GGUF file (of a split model: any part).")
  private Path in = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "OUT",
      arity = "0..1",
      description = "The GGUF file to write; not needed with --dry-run.")
  private @Nullable Path out;

  @Option(
      names = "--type",
      required = true,
      paramLabel = "T",
      completionCandidates = Types.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private String type = "";

  @Option(
      names = "--tensor",
      paramLabel = "REGEX=TYPE",
      description =
          "A format for the tensors with REGEX in their name, such as 'ffn_down=Q6_K'; the first"
              + " that matches wins.")
  private List<String> tensors = List.of();

  @Option(
      names = "--imatrix",
      paramLabel = "FILE",
      description = "Which columns matter: what 'ridgeline imatrix' or llama.cpp's tool wrote.")
  private @Nullable Path imatrix;

  @Option(
      names = "--requantize",
      description = "Convert tensors that are quantized already, at a loss.")
  private boolean requantize;

  @Option(
      names = "--dry-run",
      description = "Print what would become of each tensor, and the size; write nothing.")
  private boolean dryRun;

  @Option(
      names = {"-f", "--force"},
      description = "Write over a file that is there.")
  private boolean force;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: one for each processor.")
  private int threads;

  @Option(names = "--format", paramLabel = "F", description = "text, json or csv. Default: text.")
  private TableFormat format = TableFormat.TEXT;

  @Spec private CommandSpec spec;

  /** A tensor as the JSON contract names it. */
  record TensorRow(
      String name,
      List<Long> shape,
      String from,
      String to,
      long sourceBytes,
      long targetBytes,
      boolean substitute,
      boolean weighted) {}

  record Output(
      String type,
      long sourceBytes,
      long targetBytes,
      double bitsPerWeight,
      @Nullable Double seconds,
      List<TensorRow> tensors) {}

  @Override
  public Integer call() throws IOException {
    QuantizePlan plan = plan();
    if (dryRun) {
      print(Quantizer.dryRun(in, plan), null);
      return 0;
    }
    Path target = out;
    if (target == null) {
      throw new Errors.InputException("OUT is missing: name the file to write, or pass --dry-run");
    }
    if (!force && Files.exists(target) && !isSource(target)) {
      throw new Errors.InputException(target + ": is there already; --force writes over it");
    }
    long start = System.nanoTime();
    Progress progress = new Progress(spec.commandLine().getErr());
    Quantizer.Result result;
    try {
      result = Quantizer.run(in, target, plan, progress::bytes);
    } finally {
      progress.clear();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (format == TableFormat.JSON) {
      print(result, seconds);
    }
    spec.commandLine()
        .getErr()
        .println(
            Text.number(
                "%s: %s, %s -> %s, %.2f bits a weight, %.1f s",
                target,
                type.toUpperCase(Locale.ROOT),
                Text.bytes(result.sourceBytes()),
                Text.bytes(result.targetBytes()),
                result.bitsPerWeight(),
                seconds));
    return 0;
  }

  /** The quantizer's own message for this is the better one. */
  private boolean isSource(Path target) throws IOException {
    return Files.exists(in) && Files.isSameFile(in, target);
  }

  private QuantizePlan plan() throws IOException {
    String name = type.toUpperCase(Locale.ROOT).replace('-', '_');
    QuantizePlan plan =
        name.equals(HYBRID) ? QuantizePlan.hybrid() : QuantizePlan.of(fileType(name));
    plan =
        plan.withRules(tensors.stream().map(QuantizeCommand::rule).toList())
            .withRequantize(requantize)
            .withThreads(threads);
    return imatrix == null ? plan : plan.withImportance(ImportanceFile.read(imatrix));
  }

  private FileType fileType(String name) {
    return Arrays.stream(FileType.values())
        .filter(t -> t.name().equals(name) || t.name().equals(name + "_M"))
        .findFirst()
        .orElseThrow(
            () ->
                new Errors.InputException(
                    "--type: unknown type '%s'; expected one of %s"
                        .formatted(
                            type,
                            Stream.concat(
                                    Arrays.stream(FileType.values()).map(Enum::name),
                                    Stream.of("hybrid"))
                                .collect(Collectors.joining(", ")))));
  }

  private static TensorRule rule(String text) {
    try {
      return TensorRule.parse(text);
    } catch (IllegalArgumentException e) {
      throw new Errors.InputException("--tensor: " + e.getMessage());
    }
  }

  private void print(Quantizer.Result result, @Nullable Double seconds) {
    PrintWriter to = spec.commandLine().getOut();
    if (format == TableFormat.JSON) {
      Json.print(
          to,
          new Output(
              type.toUpperCase(Locale.ROOT),
              result.sourceBytes(),
              result.targetBytes(),
              result.bitsPerWeight(),
              seconds,
              result.tensors().stream().map(QuantizeCommand::row).toList()));
      return;
    }
    var table = new Table("tensor", "shape", "from", "to", "bytes", "");
    for (TensorPlan t : result.tensors()) {
      String note =
          t.copied()
              ? "as it is"
              : t.substitute()
                  ? "rows do not fill the type's blocks"
                  : t.weighted() ? "imatrix" : "";
      table.add(t.name(), t.shape(), t.from(), t.to(), t.targetBytes(), note);
    }
    table.note(
        Text.number(
            "%d tensors, %s -> %s, %.2f bits a weight",
            result.tensors().size(),
            Text.bytes(result.sourceBytes()),
            Text.bytes(result.targetBytes()),
            result.bitsPerWeight()));
    table.print(to, format);
    to.flush();
  }

  private static TensorRow row(TensorPlan t) {
    return new TensorRow(
        t.name(),
        InspectCommand.dimensions(t.shape()),
        t.from().name(),
        t.to().name(),
        t.sourceBytes(),
        t.targetBytes(),
        t.substitute(),
        t.weighted());
  }
}
