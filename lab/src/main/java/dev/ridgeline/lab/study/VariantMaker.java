package dev.ridgeline.lab.study;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.DoubleConsumer;

/** Makes a quantized model out of a source. */
public interface VariantMaker {
  /**
   * Refuses a name that it does not know.
   *
   * @throws IllegalArgumentException with the names that it knows
   */
  void check(String variant);

  /**
   * Writes the variant to {@code out}, which appears only when it is whole.
   *
   * @param progress is told the share that is done
   */
  void make(Path source, String variant, Path out, DoubleConsumer progress) throws IOException;
}
