package dev.ridgeline.testing;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of norms, activations, sums, scales, caps and rotations. */
final class ElementCases {
  private static final int[] WIDTHS = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 257, 2048};
  private static final float EPS = 1e-5f;

  private ElementCases() {}

  static Stream<OpCase> all() {
    var cases = new ArrayList<OpCase>();
    for (int width : WIDTHS) {
      cases.add(rmsNorm(width, 1));
      cases.add(addRmsNorm(width, true));
      cases.add(addRmsNorm(width, false));
      for (Activation activation : Activation.values()) {
        cases.add(gate(activation, width));
      }
      cases.add(add(width, 0.5f));
      cases.add(
          unary(
              "scale " + width,
              width,
              (g, x) -> g.builder.scale("out", x, -1.5f),
              x -> Tolerance.rounding(1.5 * x)));
      cases.add(
          unary(
              "soft cap " + width,
              width,
              (g, x) -> g.builder.softCap("out", x, 2.5f),
              x -> Tolerance.function(Math.min(x, 2.5))));
    }
    cases.add(rmsNorm(64, 5));
    cases.add(rmsNorm(17, 3));
    cases.addAll(ropes());
    return cases.stream();
  }

  private static OpCase rmsNorm(int width, int groups) {
    return new OpCase(
        "rms norm " + width + (groups > 1 ? " of " + groups + " heads" : ""),
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, width * groups, 1);
          Tensor w = OpData.gaussians("w", 1, width, 2);
          return g.batches(
              g.builder.rmsNorm("out", g.input(x), g.weight(w), EPS),
              (token, position, col, y) ->
                  (Tolerance.accumulation(width) + Tolerance.rounding(2)) * Math.abs(y));
        });
  }

  private static OpCase addRmsNorm(int width, boolean readNorm) {
    float scale = 0.75f;
    return new OpCase(
        "add + rms norm " + width + (readNorm ? "" : ", the sum"),
        () -> {
          var g = new OpGraph();
          Tensor a = OpData.inputs("a", OpGraph.ROWS, width, 1);
          Tensor b = OpData.inputs("b", OpGraph.ROWS, width, 2);
          Tensor w = OpData.gaussians("w", 1, width, 3);
          Value sum = g.builder.value("sum", width, Value.Rows.TOKENS);
          Value norm = g.builder.value("norm", width, Value.Rows.TOKENS);
          Value left = g.input(a);
          Value right = g.input(b);
          g.builder.add(new Op.AddRmsNorm(left, right, scale, g.weight(w), EPS, sum, norm));
          OpCase.Bound ofSum = sumBound(a, b, scale);
          if (!readNorm) {
            return g.batches(sum, ofSum);
          }
          float[] gain = OpData.row(w, 0);
          double[] rms = new double[OpGraph.ROWS];
          Arrays.setAll(rms, token -> rms(a, b, scale, token));
          return g.batches(
              norm,
              (token, position, col, y) ->
                  (Tolerance.accumulation(width) + Tolerance.rounding(2)) * Math.abs(y)
                      + ofSum.at(token, position, col, y) * Math.abs(gain[col]) / rms[token]);
        });
  }

  private static double rms(Tensor a, Tensor b, float scale, int token) {
    float[] left = OpData.row(a, token);
    float[] right = OpData.row(b, token);
    double squares = 0;
    for (int i = 0; i < left.length; i++) {
      squares += Math.pow(left[i] + (double) scale * right[i], 2);
    }
    return Math.sqrt(squares / left.length + EPS);
  }

  private static OpCase.Bound sumBound(Tensor a, Tensor b, float scale) {
    return (token, position, col, y) ->
        Tolerance.rounding(
            Math.abs(element(a, token, col)) + Math.abs(scale * element(b, token, col)));
  }

  private static OpCase gate(Activation activation, int width) {
    return new OpCase(
        "gate %s %d".formatted(ProductCases.lower(activation), width),
        () -> {
          var g = new OpGraph();
          // Rows beyond the first seven reach where exp overflows.
          Tensor gate = OpData.inputs("gate", OpGraph.ROWS, width, 1);
          Tensor up = OpData.inputs("up", OpGraph.ROWS, width, 2);
          Value left = g.builder.scale("wide", g.input(gate), 30);
          return g.batches(
              g.builder.gate("out", left, g.input(up), activation),
              (token, position, col, y) -> {
                double x = 30.0 * element(gate, token, col);
                return Tolerance.gated(x, 0, element(up, token, col), 0);
              });
        });
  }

  private static OpCase add(int width, float scale) {
    return new OpCase(
        "add " + width,
        () -> {
          var g = new OpGraph();
          Tensor a = OpData.inputs("a", OpGraph.ROWS, width, 1);
          Tensor b = OpData.inputs("b", OpGraph.ROWS, width, 2);
          return g.batches(
              g.builder.add("out", g.input(a), g.input(b), scale), sumBound(a, b, scale));
        });
  }

  @FunctionalInterface
  private interface Unary {
    Value apply(OpGraph g, Value x);
  }

  /** {@code bound}: the largest difference allowed where the input's magnitude is |x|. */
  private static OpCase unary(String name, int width, Unary op, DoubleUnaryOperator bound) {
    return new OpCase(
        name,
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, width, 1);
          return g.batches(
              op.apply(g, g.input(x)),
              (token, position, col, y) -> bound.applyAsDouble(Math.abs(element(x, token, col))));
        });
  }

  private static List<OpCase> ropes() {
    var plain = RopeParams.plain(Layout.NORM, 64, 64, 10_000);
    var yarn = new RopeParams(Layout.NEOX, 64, 64, 150_000, 1 / 32f, 1, 1, 32, 1, 4096);
    return List.of(
        rope("rope norm 64", plain, 3, false),
        rope("rope norm 2", RopeParams.plain(Layout.NORM, 2, 2, 10_000), 1, false),
        rope("rope norm 80, 20 of them", RopeParams.plain(Layout.NORM, 80, 20, 1e6f), 2, false),
        rope("rope neox 128", RopeParams.plain(Layout.NEOX, 128, 128, 1e6f), 2, false),
        rope("rope neox 96, 36 of them", RopeParams.plain(Layout.NEOX, 96, 36, 10_000), 3, false),
        rope("rope norm 64 with factors", plain, 2, true),
        rope(
            "rope neox 64 linear",
            new RopeParams(Layout.NEOX, 64, 64, 10_000, 0.125f, 0, 1, 32, 1, 0),
            2,
            false),
        rope(
            "rope neox 96 with factors and magnitude",
            new RopeParams(Layout.NEOX, 96, 96, 10_000, 1, 0, 1.19f, 32, 1, 4096),
            2,
            true),
        rope("rope neox 64 yarn", yarn, 2, false));
  }

  private static OpCase rope(String name, RopeParams params, int heads, boolean factors) {
    return new OpCase(
        name,
        () -> {
          var g = new OpGraph();
          int width = heads * params.headDim();
          Tensor x = OpData.gaussians("x", AttentionCases.ROWS, width, 1);
          @Nullable Weight freqFactors = null;
          if (factors) {
            float[] f = new float[params.dims() / 2];
            for (int i = 0; i < f.length; i++) {
              f[i] = 1 + i * 0.25f;
            }
            freqFactors = g.weight(OpData.floats("factors", ProductCases.shape(f.length, 1), f));
          }
          // The Gaussians stay under 5, and YaRN's magnitude under 1.4.
          double magnitude = params.extFactor() > 0 ? 1.4 : params.attnFactor();
          Value out = g.builder.rope("out", g.input(x), params, freqFactors);
          return g.steps(
              out,
              AttentionCases.capacity(0, List.of()),
              AttentionCases.passes(),
              (token, position, col, y) -> Tolerance.rotation(position, magnitude * 2 * 5));
        });
  }

  private static float element(Tensor x, int row, int col) {
    return OpData.element(x, row, col);
  }
}
