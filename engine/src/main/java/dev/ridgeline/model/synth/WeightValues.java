package dev.ridgeline.model.synth;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.ridgeline.model.TensorRequest;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import java.util.regex.Pattern;

/** Values of one tensor, a row at a time; a row depends on nothing but its index and the seed. */
@FunctionalInterface
interface WeightValues {
  /** Fills row {@code row}. */
  void fill(long row, MemorySegment into);

  /**
   * Values that keep every activation near 1: matrices have deviation {@code 1 / sqrt(columns)},
   * norms are near 1, biases and sinks are small.
   */
  static WeightValues of(TensorRequest tensor, DType type, Shape shape, boolean tied, long seed) {
    String name = tensor.name();
    long state = seed ^ (name.hashCode() * 0x9E3779B97F4A7C15L);
    if (name.equals("rope_freqs.weight")) {
      return (_, into) -> fillLlama3Factors(shape, into);
    }
    if (name.startsWith("rope_factors_")) {
      return (_, into) -> fillLongRopeFactors(name.contains("long") ? 16 : 0.5, into);
    }
    if (tensor.vector()) {
      float centre = name.endsWith("norm.weight") ? 1 : 0;
      float halfWidth = name.endsWith("sinks.weight") ? 2 : 0.25f;
      return (row, into) ->
          RandomBlocks.fillUniform(into, RandomBlocks.random(state, row), centre, halfWidth);
    }
    float deviation = (float) (gain(name, shape, tied) / Math.sqrt((double) tensor.shape().ne0()));
    return (row, into) -> RandomBlocks.fill(type, into, RandomBlocks.random(state, row), deviation);
  }

  /**
   * Logits of deviation 3 have a clear favourite and a tail, as trained ones do. Gemma multiplies
   * its embeddings by the root of their width, so larger ones would drown the layers' work.
   */
  private static double gain(String name, Shape shape, boolean tied) {
    boolean logits =
        name.equals("output.weight")
            || (tied
                && name.equals("token_embd.weight")
                && !shape.architecture().startsWith("gemma"));
    return logits ? 3 : 1;
  }

  /**
   * Llama 3.1's divisors (Grattafiori et al. 2024): 1 for wavelengths up to a quarter of the
   * original context, the factor for those beyond it, smooth between.
   */
  private static void fillLlama3Factors(Shape shape, MemorySegment into) {
    List<Double> option =
        Pattern.compile("/")
            .splitAsStream(shape.options().get("rope_freqs"))
            .map(Double::parseDouble)
            .toList();
    double factor = option.get(0);
    double context = option.get(1);
    int pairs = (int) (into.byteSize() / Float.BYTES);
    double base = 500000;
    for (int i = 0; i < pairs; i++) {
      double wavelength = 2 * Math.PI * StrictMath.pow(base, (double) i / pairs);
      double smooth = Math.clamp((context / wavelength - 1) / 3, 0.0, 1.0);
      set(into, i, 1 / ((1 - smooth) / factor + smooth));
    }
  }

  /** Divisors that rise from 1, as those of Phi 3 do. */
  private static void fillLongRopeFactors(double rise, MemorySegment into) {
    int pairs = (int) (into.byteSize() / Float.BYTES);
    for (int i = 0; i < pairs; i++) {
      set(into, i, 1 + rise * i / pairs);
    }
  }

  private static void set(MemorySegment into, int i, double value) {
    into.set(
        JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
        (long) i * Float.BYTES,
        (float) value);
  }
}
