package dev.ridgeline.vulkan;

import dev.ridgeline.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One shader of the one table: what the build compiles and what the backend runs.
 *
 * @param name of the SPIR-V resource, and in profiles
 * @param source file under {@code src/main/glsl}
 * @param defines macros
 */
record Kernel(String name, String source, Map<String, String> defines) {
  /** Sources that are compiled for each weight format. */
  private static final List<String> OF_FORMATS = List.of("get_rows", "mul_mat_vec", "mul_mat");

  private static final List<String> PLAIN =
      List.of(
          "repack",
          "quantize_x",
          "rms_norm",
          "elementwise",
          "rope",
          "store_kv",
          "flash_attn",
          "select_outputs",
          "route",
          "expert_sum",
          "argmax",
          "probe_read",
          "probe_arithmetic");

  /** Formats with a {@code unit} for {@code mul_mat_vec_q.comp}. */
  private static final Set<DType> INTEGER_DOT =
      EnumSet.of(DType.Q4_0, DType.Q8_0, DType.Q4_K, DType.Q5_K, DType.Q6_K);

  /** Whether products of few tokens with {@code type} have a kernel of integer dot products. */
  static boolean hasIntegerDot(DType type) {
    return INTEGER_DOT.contains(type);
  }

  /** Every kernel. */
  static List<Kernel> all() {
    var result = new ArrayList<Kernel>();
    PLAIN.forEach(name -> result.add(plain(name)));
    for (String source : OF_FORMATS) {
      Stream.of(DType.values())
          .filter(DType::isWeight)
          .forEach(type -> result.add(of(source, type)));
    }
    INTEGER_DOT.forEach(type -> result.add(of("mul_mat_vec_q", type)));
    return result;
  }

  /** The kernel without a format whose source is {@code source}. */
  static Kernel plain(String source) {
    return new Kernel(source, source + ".comp", Map.of());
  }

  /** {@code source} for weights of {@code type}. */
  static Kernel of(String source, DType type) {
    return new Kernel(
        source + "_" + type.name().toLowerCase(Locale.ROOT),
        source + ".comp",
        Map.of("TYPE_" + type.name(), "1"));
  }

  /** Its SPIR-V, which the build compiled. */
  byte[] spirv() {
    try (InputStream in = Kernel.class.getResourceAsStream("spirv/" + name + ".spv")) {
      if (in == null) {
        throw new IllegalStateException("shader " + name + " is not in this build");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("reading shader " + name, e);
    }
  }
}
