package dev.ridgeline.lab.study;

import dev.ridgeline.model.FileType;
import dev.ridgeline.quantize.QuantizePlan;
import dev.ridgeline.quantize.Quantizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;

/** The variants that {@code ridgeline quantize} makes: the named types, and {@code hybrid}. */
public final class Quantizations implements VariantMaker {
  private static final String HYBRID = "hybrid";

  @Override
  public void check(String variant) {
    plan(variant);
  }

  @Override
  public void make(Path source, String variant, Path out, DoubleConsumer progress)
      throws IOException {
    Quantizer.run(
        source,
        out,
        plan(variant),
        (_, done, total) -> progress.accept(total == 0 ? 1 : (double) done / total));
  }

  private static QuantizePlan plan(String variant) {
    if (variant.equalsIgnoreCase(HYBRID)) {
      return QuantizePlan.hybrid();
    }
    return fileType(variant)
        .map(QuantizePlan::of)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "variant '%s' is not known; known are %s, %s"
                        .formatted(variant, names(), HYBRID)));
  }

  /** The named type called {@code variant}. */
  static Optional<FileType> fileType(String variant) {
    return Arrays.stream(FileType.values())
        .filter(t -> t.name().equals(variant.toUpperCase(Locale.ROOT)))
        .findFirst();
  }

  private static String names() {
    return Arrays.stream(FileType.values()).map(Enum::name).collect(Collectors.joining(", "));
  }
}
