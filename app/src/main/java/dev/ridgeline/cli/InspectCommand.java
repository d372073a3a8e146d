package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.model.Model;
import dev.ridgeline.scheduler.EngineOptions;
import dev.ridgeline.scheduler.EnginePlan;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline inspect}. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description =
        "What is in a GGUF file: metadata, tensors, and the memory that running it takes.")
final class InspectCommand implements Callable<Integer> {
  private static final int SHOWN_ITEMS = 6;
  private static final int SHOWN_CHARS = 100;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file (of a split model: any part).")
  private Path model = Path.of("");

  @Option(names = "--tensors", description = "List every tensor (JSON always does).")
  private boolean listTensors;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "Plan memory for this many sequences. Default: 1.")
  private int parallel = 1;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private ContextArguments context = new ContextArguments();
  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  record TensorInfo(String name, String type, List<Long> shape, long bytes) {}

  record TypeShare(String type, int tensors, long elements, long bytes) {}

  record Plan(
      String backend,
      int context,
      int parallel,
      long weightBytes,
      long repackedBytes,
      long kvBytes,
      long activationBytes,
      long stagingBytes,
      long totalBytes,
      long availableBytes) {}

  /**
   * @param warnings what the tokenizer reads otherwise than it stands in the file
   * @param notRunnable why there is no plan: not a model of a known architecture, or too large
   */
  record Report(
      String path,
      int version,
      int parts,
      long fileBytes,
      long parameters,
      Map<String, Object> metadata,
      List<TypeShare> types,
      List<TensorInfo> tensors,
      List<String> warnings,
      @Nullable Plan memoryPlan,
      @Nullable String notRunnable) {}

  @Override
  public Integer call() {
    try (GgufFile file = GgufFile.open(model)) {
      PrintWriter out = spec.commandLine().getOut();
      Report report = report(file);
      if (format == Format.JSON) {
        Json.print(out, report);
      } else {
        print(out, report);
      }
      out.flush();
      return 0;
    }
  }

  private Report report(GgufFile file) {
    @Nullable Plan plan = null;
    @Nullable String notRunnable = null;
    List<String> warnings = List.of();
    try (Backend b = Backends.open(backend.backend, backend.options())) {
      plan = plan(file, b);
      warnings = Tokenizer.of(file.metadata()).warnings();
    } catch (GgufException | IllegalArgumentException e) {
      notRunnable = e.getMessage();
    }
    Collection<Tensor> tensors = file.tensors().values();
    return new Report(
        model.toString(),
        file.version(),
        file.parts().size(),
        file.byteSize(),
        tensors.stream().mapToLong(t -> t.shape().elements()).sum(),
        metadata(file),
        types(tensors),
        tensors.stream().map(InspectCommand::info).toList(),
        warnings,
        plan,
        notRunnable);
  }

  private Plan plan(GgufFile file, Backend b) {
    Model m = Model.read(file.metadata(), file.tensors());
    EngineOptions options =
        EngineOptions.builder()
            .context(context.context)
            .batchTokens(context.batch)
            .kvType(backend.kvType)
            .parallel(parallel)
            .build();
    EnginePlan plan = EnginePlan.of(Fusion.fuse(m.graph()), m.contextLength(), b, options);
    MemoryPlan memory = plan.memory();
    return new Plan(
        b.name(),
        plan.capacity().maxContext(),
        parallel,
        memory.weightBytes(),
        memory.repackedBytes(),
        memory.kvBytes(),
        memory.activationBytes(),
        memory.stagingBytes(),
        memory.totalBytes(),
        plan.availableBytes());
  }

  /** The dimensions that a file gives: as many as are not 1 at the end, at least one. */
  static List<Long> dimensions(Shape s) {
    int count = s.ne3() > 1 ? 4 : s.ne2() > 1 ? 3 : s.ne1() > 1 ? 2 : 1;
    return LongStream.of(s.ne0(), s.ne1(), s.ne2(), s.ne3()).limit(count).boxed().toList();
  }

  private static TensorInfo info(Tensor t) {
    return new TensorInfo(t.name(), t.type().name(), dimensions(t.shape()), t.data().byteSize());
  }

  private static List<TypeShare> types(Collection<Tensor> tensors) {
    var shares = new EnumMap<DType, TypeShare>(DType.class);
    for (Tensor t : tensors) {
      shares.merge(
          t.type(),
          new TypeShare(t.type().name(), 1, t.shape().elements(), t.data().byteSize()),
          (a, b) ->
              new TypeShare(
                  a.type, a.tensors + b.tensors, a.elements + b.elements, a.bytes + b.bytes));
    }
    return List.copyOf(shares.values());
  }

  private static Map<String, Object> metadata(GgufFile file) {
    Map<String, Object> plain = new LinkedHashMap<>();
    file.metadata().values().forEach((key, value) -> plain.put(key, plain(value)));
    return plain;
  }

  private static Object plain(MetadataValue value) {
    return switch (value) {
      case MetadataValue.Int(_, long v) -> v;
      case MetadataValue.Real(MetadataType type, double v) ->
          type == MetadataType.FLOAT32 ? (Object) (float) v : (Object) v;
      case MetadataValue.Bool(boolean v) -> v;
      case MetadataValue.Text(String v) -> v;
      case MetadataValue.Ints(_, long[] v) -> Arrays.stream(v).boxed().toList();
      case MetadataValue.Reals(_, double[] v) -> Arrays.stream(v).boxed().toList();
      case MetadataValue.Bools(boolean[] v) -> v;
      case MetadataValue.Texts(List<String> v) -> v;
      case MetadataValue.Arrays(List<MetadataValue> v) ->
          v.stream().map(InspectCommand::plain).toList();
    };
  }

  private void print(PrintWriter out, Report r) {
    out.println(
        "%s: GGUF version %d, %d part%s, %s, %s parameters"
            .formatted(
                r.path,
                r.version,
                r.parts,
                r.parts == 1 ? "" : "s",
                Text.bytes(r.fileBytes),
                Text.count(r.parameters)));
    out.println();
    r.metadata.forEach((key, value) -> out.println("%-44s %s".formatted(key, shown(value))));
    out.println();
    printTypes(out, r);
    if (listTensors) {
      out.println();
      var table = new Table("tensor", "type", "shape", "bytes");
      r.tensors.forEach(t -> table.add(t.name, t.type, t.shape, t.bytes));
      table.print(out, TableFormat.TEXT);
    }
    r.warnings.forEach(warning -> out.println("note: " + warning));
    out.println();
    printPlan(out, r);
  }

  private static void printTypes(PrintWriter out, Report r) {
    var table = new Table("type", "tensors", "elements", "bytes", "bits per element");
    for (TypeShare t : r.types) {
      table.add(
          t.type,
          t.tensors,
          t.elements,
          t.bytes,
          Text.number("%.2f", 8.0 * t.bytes / Math.max(1, t.elements)));
    }
    table.print(out, TableFormat.TEXT);
  }

  private static void printPlan(PrintWriter out, Report r) {
    Plan p = r.memoryPlan;
    if (p == null) {
      out.println("cannot be run here: " + r.notRunnable);
      return;
    }
    out.println(
        "memory on %s, context %d, %d sequence%s:"
            .formatted(p.backend, p.context, p.parallel, p.parallel == 1 ? "" : "s"));
    var table = new Table("what", "bytes", "");
    table.add("weights", p.weightBytes, Text.bytes(p.weightBytes));
    table.add("weights, repacked", p.repackedBytes, Text.bytes(p.repackedBytes));
    table.add("KV cache", p.kvBytes, Text.bytes(p.kvBytes));
    table.add("activations", p.activationBytes, Text.bytes(p.activationBytes));
    table.add("staging", p.stagingBytes, Text.bytes(p.stagingBytes));
    table.add("all", p.totalBytes, Text.bytes(p.totalBytes));
    table.add("available", p.availableBytes, Text.bytes(p.availableBytes));
    table.print(out, TableFormat.TEXT);
  }

  private static String shown(Object value) {
    if (value instanceof List<?> list && list.size() > SHOWN_ITEMS) {
      return "%d items: %s, ..."
          .formatted(
              list.size(),
              shorten(list.subList(0, SHOWN_ITEMS).toString().replaceAll("^\\[|]$", "")));
    }
    return shorten(value.toString());
  }

  private static String shorten(String text) {
    String line = text.replace("\n", "\\n");
    return line.length() <= SHOWN_CHARS
        ? line
        : line.substring(0, SHOWN_CHARS) + "... (" + text.length() + " characters)";
  }
}
