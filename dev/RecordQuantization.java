import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.FileType;
import dev.ridgeline.quantize.TensorErrors;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Records what the reference engine's quantizer makes of a synthetic model, for QuantizerGoldenTest:
 * each tensor's type and root mean square error, and for Q4_0 and Q8_0 a hash of its bytes.
 *
 * <pre>
 *   ridgeline synth tiny-llama F16 SOURCE.gguf
 *   for t in Q4_0 Q4_1 ...; do llama-quantize SOURCE.gguf REFERENCE/$t.gguf $t; done
 *   java -cp "app/target/ridgeline-app.jar:app/target/lib/*" dev/RecordQuantization.java SOURCE.gguf REFERENCE \
 *       > engine/src/test/resources/dev/ridgeline/quantize/reference-errors.tsv
 * </pre>
 */
final class RecordQuantization {
  private RecordQuantization() {}

  public static void main(String[] args) throws Exception {
    for (FileType type : FileType.values()) {
      Path reference = Path.of(args[1], type + ".gguf");
      if (!Files.exists(reference)) {
        continue;
      }
      try (GgufFile a = GgufFile.open(Path.of(args[0])); GgufFile b = GgufFile.open(reference)) {
        for (var e : TensorErrors.between(a, b).entrySet()) {
          var t = b.tensor(e.getKey());
          boolean exact = t.type() == DType.Q4_0 || t.type() == DType.Q8_0;
          byte[] hash = MessageDigest.getInstance("SHA-256").digest(t.data().toArray(ValueLayout.JAVA_BYTE));
          System.out.printf(
              "%s\t%s\t%s\t%.9e\t%s%n",
              type, t.name(), t.type(), e.getValue().rms(), exact ? HexFormat.of().formatHex(hash, 0, 8) : "-");
        }
      }
    }
  }
}
