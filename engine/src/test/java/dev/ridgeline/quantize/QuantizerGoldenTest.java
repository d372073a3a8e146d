package dev.ridgeline.quantize;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against what the reference engine's quantizer made of the same file: {@code
 * dev/RecordQuantization.java}.
 */
class QuantizerGoldenTest {
  private record Recorded(String type, double rms, String hash) {}

  @TempDir private static Path folder = Path.of("");

  private static Path source = Path.of("");

  @BeforeAll
  static void writeSource() throws IOException {
    source = folder.resolve("source.gguf");
    new Synth("tiny-llama", FileType.F16).write(source, 1);
  }

  private static List<String[]> lines() {
    try (InputStream in =
        Objects.requireNonNull(
            QuantizerGoldenTest.class.getResourceAsStream("reference-errors.tsv"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("\t"))
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static Stream<FileType> types() {
    return lines().stream().map(line -> FileType.valueOf(line[0])).distinct();
  }

  @ParameterizedTest
  @MethodSource("types")
  void everyTensorHasTheReferencesTypeAndNoLargerError(FileType type) throws Exception {
    Path target = folder.resolve(type + ".gguf");
    Quantizer.run(source, target, QuantizePlan.of(type), (_, _, _) -> {});

    try (GgufFile from = GgufFile.open(source);
        GgufFile to = GgufFile.open(target)) {
      Map<String, TensorErrors.Sums> errors = TensorErrors.between(from, to);
      var recorded =
          lines().stream()
              .filter(line -> line[0].equals(type.name()))
              .collect(
                  java.util.stream.Collectors.toMap(
                      line -> line[1],
                      line -> new Recorded(line[2], Double.parseDouble(line[3]), line[4])));
      assertThat(errors.keySet()).isEqualTo(recorded.keySet());
      recorded.forEach(
          (name, r) -> {
            assertThat(to.tensor(name).type().name()).as(name).isEqualTo(r.type);
            assertThat(requireNonNull(errors.get(name)).rms())
                .as(name)
                .isLessThanOrEqualTo(1.01 * r.rms);
            if (!r.hash.equals("-")) {
              assertThat(hash(to.tensor(name))).as(name).isEqualTo(r.hash);
            }
          });
    }
  }

  private static String hash(Tensor tensor) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(tensor.data().toArray(ValueLayout.JAVA_BYTE));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
