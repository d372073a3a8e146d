package dev.ridgeline.vulkan;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * One shader of the one table: what the build compiles and what the backend runs.
 *
 * @param name of the SPIR-V resource, and in profiles
 * @param source file under {@code src/main/glsl}
 * @param defines macros
 */
record Kernel(String name, String source, Map<String, String> defines) {
  private static final List<String> PLAIN =
      List.of(
          "repack",
          "quantize_x",
          "to_half",
          "rms_norm",
          "norm_row",
          "elementwise",
          "rope",
          "store_kv",
          "heads",
          "attend",
          "attend_tile",
          "select_outputs",
          "route",
          "expert_sum",
          "argmax",
          "top",
          "draw",
          "probe_read",
          "probe_arithmetic",
          "probe_dot");

  /** Sources that are compiled for some weight formats. */
  private static final Map<String, Predicate<DType>> OF_FORMATS =
      Map.of(
          "get_rows", DType::isWeight,
          "mul_mat", DType::isWeight,
          "mul_mat_vec", type -> type.isWeight() && !type.isQuantized(),
          "mul_mat_vec_q", DType::isQuantized,
          "dequantize", DType::isQuantized,
          "regroup", WeightLayout::isRegrouped);

  /** Every kernel. */
  static List<Kernel> all() {
    var result = new ArrayList<Kernel>();
    PLAIN.forEach(name -> result.add(plain(name)));
    OF_FORMATS.forEach(
        (source, taken) ->
            Stream.of(DType.values()).filter(taken).forEach(type -> result.add(of(source, type))));
    for (MatrixShape shape : MATRIX_SHAPES) {
      result.add(probe("probe_matrix", shape));
      result.add(probe("probe_layout", shape));
      ATTEND_DIMS.forEach(dim -> result.add(attendMatrix(shape, dim)));
      for (DType type : DType.values()) {
        if (type.isQuantized()) {
          for (DecodeShape by : DecodeShape.KINDS) {
            by.wides().forEach(wide -> result.add(matrixQ(type, shape, wide, by)));
          }
        }
      }
      for (int wide : List.of(64, 128)) {
        for (int deep : List.of(32, 64)) {
          result.add(matrix(shape, wide, deep, false));
          result.add(matrix(shape, wide, deep, true));
        }
      }
    }
    return result;
  }

  /**
   * Shapes of cooperative matrices that {@code mul_mat_matrix} is compiled for, with the size of
   * the subgroup: those of GPUs, and those of lavapipe.
   */
  private static final List<MatrixShape> MATRIX_SHAPES =
      List.of(new MatrixShape(16, 16, 16, 32), new MatrixShape(8, 8, 8, 8));

  /** Elements of heads that {@code attend_matrix} is compiled for. */
  static final List<Integer> ATTEND_DIMS = List.of(64, 80, 96, 128);

  /** Whether there is an {@link #attendMatrix} for heads of {@code dim}. */
  static boolean attendsMatrix(int dim) {
    return ATTEND_DIMS.contains(dim);
  }

  /** {@code attend_matrix} for heads of {@code dim}. */
  static Kernel attendMatrix(MatrixShape shape, int dim) {
    Map<String, String> defines = shapeDefines(shape);
    defines.put("DIM", dim + "u");
    return new Kernel(
        "attend_matrix_%d_%d".formatted(shape.lanes(), dim), "attend_matrix.comp", defines);
  }

  /** Whether there is a {@link #matrix} kernel for {@code shape}. */
  static boolean hasMatrix(MatrixShape shape) {
    return MATRIX_SHAPES.contains(shape);
  }

  /** {@code mul_mat_matrix} for tiles of {@code wide} tokens, {@code deep} columns at once. */
  static Kernel matrix(MatrixShape shape, int wide, int deep, boolean gated) {
    return new Kernel(
        "mul_mat_matrix_%d_%dx%d%s".formatted(shape.lanes(), wide, deep, gated ? "_gated" : ""),
        "mul_mat_matrix.comp",
        Map.of(
            "BN", "" + wide + "u",
            "BK", deep + "u",
            "GATED", gated ? "1" : "0",
            "LANES_USED", shape.lanes() + "u",
            "TM", shape.m() + "u",
            "TN", shape.n() + "u",
            "TK", shape.k() + "u"));
  }

  /** {@code mul_mat_matrix_q} for weights of {@code type} and {@code wide} matrices of tokens. */
  static Kernel matrixQ(DType type, MatrixShape shape, int wide, DecodeShape by) {
    Map<String, String> defines = shapeDefines(shape);
    defines.put("TYPE_" + type.name(), "1");
    defines.put("ROWS_OF_LANE", (shape.m() == shape.lanes() ? shape.m() : 2) + "u");
    defines.put("FM", by.tall() + "u");
    defines.put("FN", wide + "u");
    defines.put("D", by.units() + "u");
    return new Kernel(
        "mul_mat_matrix_q_%d_%s_%dx%dx%d"
            .formatted(
                shape.lanes(), type.name().toLowerCase(Locale.ROOT), by.tall(), by.units(), wide),
        "mul_mat_matrix_q.comp",
        defines);
  }

  /** {@code probe_matrix} or {@code probe_layout} for {@code shape}. */
  static Kernel probe(String source, MatrixShape shape) {
    return new Kernel(source + "_" + shape.lanes(), source + ".comp", shapeDefines(shape));
  }

  private static Map<String, String> shapeDefines(MatrixShape shape) {
    Map<String, String> defines = new HashMap<>();
    defines.put("LANES_USED", shape.lanes() + "u");
    defines.put("TM", shape.m() + "u");
    defines.put("TN", shape.n() + "u");
    defines.put("TK", shape.k() + "u");
    if (shape.m() < 16) {
      defines.put("KEEP_LOOPS", "1");
    }
    return defines;
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
