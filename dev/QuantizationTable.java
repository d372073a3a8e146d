import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.FileType;
import dev.ridgeline.quantize.Importance;
import dev.ridgeline.quantize.ImportanceFile;
import dev.ridgeline.quantize.QuantizePlan;
import dev.ridgeline.quantize.Quantizer;
import dev.ridgeline.quantize.TensorErrors;
import dev.ridgeline.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints docs/quantization.md's table: root mean square error of every named type beside that of the
 * reference engine's quantizer from the same file.
 *
 * <pre>
 *   for t in Q4_0 Q4_1 ...; do llama-quantize SOURCE.gguf REFERENCE/$t.gguf $t; done
 *   java -cp "app/target/ridgeline-app.jar:app/target/lib/*" dev/QuantizationTable.java SOURCE.gguf REFERENCE [IMATRIX]
 * </pre>
 */
final class QuantizationTable {
  private QuantizationTable() {}

  public static void main(String[] args) throws Exception {
    Path source = Path.of(args[0]);
    Path ours = Files.createTempFile("ridgeline", ".gguf");
    System.out.println("| type | bits a weight | error | reference | ratio | largest ratio of a tensor | same bytes |");
    System.out.println("|---|---:|---:|---:|---:|---:|---:|");
    try {
      for (FileType type : FileType.values()) {
        Path reference = Path.of(args[1], type.name().replace("MXFP4", "MXFP4_MOE") + ".gguf");
        if (Files.exists(reference)) {
          QuantizePlan plan = QuantizePlan.of(type);
          if (args.length > 2) {
            plan = plan.withImportance(ImportanceFile.read(Path.of(args[2])));
          }
          Quantizer.Result result = Quantizer.run(source, ours, plan, (_, _, _) -> {});
          row(type, source, ours, reference, result.bitsPerWeight(), plan.importance().orElse(null));
        }
      }
    } finally {
      Files.deleteIfExists(ours);
    }
  }

  private static void row(FileType type, Path source, Path ours, Path reference, double bits, Importance importance) {
    try (GgufFile a = GgufFile.open(source);
        GgufFile b = GgufFile.open(ours);
        GgufFile c = GgufFile.open(reference)) {
      Map<String, TensorErrors.Sums> mine = TensorErrors.between(a, b, importance);
      Map<String, TensorErrors.Sums> theirs = TensorErrors.between(a, c, importance);
      double worst = 0;
      String worstName = "";
      int same = 0;
      for (Tensor t : b.tensors().values()) {
        Tensor other = c.tensor(t.name());
        if (other.type() != t.type()) {
          System.err.println(type + " " + t.name() + ": " + t.type() + ", reference " + other.type());
          continue;
        }
        same += t.data().mismatch(other.data()) < 0 ? 1 : 0;
        if (theirs.containsKey(t.name()) && theirs.get(t.name()).squaredError() > 0) {
          double ratio = mine.get(t.name()).rms() / theirs.get(t.name()).rms();
          if (System.getenv("TENSORS") != null) {
            System.err.printf("%s %s %s %.4f%n", type, t.name(), t.type(), ratio);
          }
          if (ratio > worst) {
            worst = ratio;
            worstName = t.name();
          }
        }
      }
      double m = total(mine.values().stream().toList());
      double r = total(theirs.values().stream().toList());
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.3f %% | %.3f %% | %.4f | %.4f (%s) | %d of %d |%n",
          type, bits, 100 * m, 100 * r, m / r, worst, worstName, same, b.tensors().size());
    }
  }

  /** Root mean square error as a share of the root mean square, over all tensors. */
  private static double total(List<TensorErrors.Sums> all) {
    double error = all.stream().mapToDouble(TensorErrors.Sums::squaredError).sum();
    double square = all.stream().mapToDouble(TensorErrors.Sums::square).sum();
    return Math.sqrt(error / square);
  }
}
