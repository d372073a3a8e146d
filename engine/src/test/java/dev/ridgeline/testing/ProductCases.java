package dev.ridgeline.testing;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Cases of Embed, MatMul and GatedMatMul. */
final class ProductCases {
  private ProductCases() {}

  static Stream<OpCase> all() {
    var cases = new ArrayList<OpCase>();
    for (DType type : OpCases.WEIGHT_TYPES) {
      cases.add(embed(type));
      int block = type.isQuantized() ? type.blockElements() : 32;
      cases.add(matMul(type, 1, block, false));
      cases.add(matMul(type, 17, 3 * block, true));
      cases.add(matMul(type, 31, 7 * block, false));
      cases.add(matMul(type, 64, 2048, false));
      cases.add(matMul(type, 251, 256, false));
      cases.add(matMul(type, 37, 11 * block, true));
      cases.add(gated(type, Activation.SILU, 33, 2 * block));
    }
    for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
      for (int cols : new int[] {1, 3, 15, 16, 17, 127, 8191}) {
        cases.add(matMul(type, 5, cols, false));
      }
    }
    cases.add(gated(DType.F32, Activation.GELU_TANH, 33, 64));
    cases.add(gated(DType.Q4_K, Activation.SWIGLU_OAI, 33, 512));
    cases.add(gated(DType.F16, Activation.SILU, 161, 256));
    cases.add(gated(DType.Q4_K, Activation.SILU, 161, 256));
    // Rows enough for kernels that give each subgroup some of its own; gate and up side by side.
    cases.add(gated(DType.Q4_K, Activation.SILU, 8256, 512));
    cases.add(matMul(DType.IQ4_NL, 16_400, 96, false));
    cases.add(bias());
    cases.add(outputRows());
    cases.add(band());
    for (int read = 0; read < 3; read++) {
      cases.add(threeProducts(read));
    }
    return cases.stream();
  }

  private static OpCase embed(DType type) {
    int cols = type.isQuantized() ? 3 * type.blockElements() : 97;
    return new OpCase(
        "embed " + lower(type) + " " + cols,
        () -> {
          var g = new OpGraph();
          Tensor table = OpData.extremes("table", type, shape(cols, OpGraph.ROWS), 7);
          Value out = g.builder.embed("out", g.weight(table), 1.75f);
          return g.batches(out, (token, position, col, y) -> Tolerance.rounding(Math.abs(y)));
        });
  }

  /** {@code extremes}: weights of every bit pattern instead of encoded Gaussians. */
  private static OpCase matMul(DType type, int rows, int cols, boolean extremes) {
    return new OpCase(
        "matmul %s %dx%d%s".formatted(lower(type), rows, cols, extremes ? " extremes" : ""),
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, cols, 1);
          Tensor w = weights("w", type, rows, cols, extremes);
          return g.batches(
              g.builder.matMul("out", g.input(x), g.weight(w), null), new ProductBound(w, x, 0));
        });
  }

  private static OpCase gated(DType type, Activation activation, int rows, int cols) {
    return new OpCase(
        "gated matmul %s %s %dx%d".formatted(lower(activation), lower(type), rows, cols),
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.gaussians("x", OpGraph.ROWS, cols, 1);
          Tensor gate = OpData.encoded("gate", type, shape(cols, rows), 2);
          Tensor up = OpData.encoded("up", type, shape(cols, rows), 3);
          Value in = g.input(x);
          Value out = g.builder.value("out", rows, Value.Rows.TOKENS);
          g.builder.add(new Op.GatedMatMul(in, g.weight(gate), g.weight(up), activation, out));
          var gateBound = new ProductBound(gate, x, 0);
          var upBound = new ProductBound(up, x, 0);
          return g.batches(
              out,
              (token, position, col, y) ->
                  Tolerance.gated(
                      gateBound.exact(token, col),
                      gateBound.at(token, position, col, y),
                      upBound.exact(token, col),
                      upBound.at(token, position, col, y)));
        });
  }

  private static OpCase bias() {
    return new OpCase(
        "matmul q8_0 33x64 with bias",
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, 64, 1);
          Tensor w = weights("w", DType.Q8_0, 33, 64, false);
          Tensor bias = OpData.gaussians("bias", 1, 33, 3);
          return g.batches(
              g.builder.matMul("out", g.input(x), g.weight(w), g.weight(bias)),
              new ProductBound(w, x, 4));
        });
  }

  /** As the output head is: only some of the rows. */
  private static OpCase outputRows() {
    return new OpCase(
        "matmul q6_k 67x512 of every third row",
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, 512, 1);
          Tensor w = weights("w", DType.Q6_K, 67, 512, false);
          Value some = g.builder.selectOutputs("some", g.input(x));
          return g.batches(
              g.builder.matMul("out", some, g.weight(w), null), new ProductBound(w, x, 0));
        });
  }

  private static OpCase band() {
    return new OpCase(
        "matmul q5_0 rows 5..18 of 40x96",
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, 96, 1);
          Tensor w = weights("w", DType.Q5_0, 40, 96, false);
          var all = new ProductBound(w, x, 0);
          return g.batches(
              g.builder.matMul("out", g.input(x), g.weight(w).band(5, 13), null),
              (token, position, col, y) -> all.at(token, position, col + 5, y));
        });
  }

  /** Q, K and V as fusion makes them, of different formats and heights. */
  private static OpCase threeProducts(int read) {
    return new OpCase(
        "matmul q4_k 64x512 + q4_k 17x512 + q6_k 17x512, output " + read,
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, 512, 1);
          Tensor[] w = {
            weights("q", DType.Q4_K, 64, 512, false),
            OpData.encoded("k", DType.Q4_K, shape(512, 17), 5),
            OpData.encoded("v", DType.Q6_K, shape(512, 17), 6)
          };
          Value in = g.input(x);
          var products = new ArrayList<Op.Product>();
          for (Tensor t : w) {
            Weight weight = g.weight(t);
            Value out = g.builder.value(t.name(), weight.rows(), Value.Rows.TOKENS);
            products.add(new Op.Product(weight, null, out));
          }
          g.builder.add(new Op.MatMul(in, products));
          return g.batches(products.get(read).out(), new ProductBound(w[read], x, 0));
        });
  }

  private static Tensor weights(String name, DType type, int rows, int cols, boolean extremes) {
    return extremes
        ? OpData.extremes(name, type, shape(cols, rows), 2)
        : OpData.encoded(name, type, shape(cols, rows), 2);
  }

  static Shape shape(int cols, int rows) {
    return new Shape(cols, rows, 1, 1);
  }

  static String lower(Enum<?> name) {
    return name.name().toLowerCase(Locale.ROOT);
  }

  /** {@link Tolerance#product} of each token and row of a matrix. */
  static final class ProductBound implements OpCase.Bound {
    private final float[][] weights;
    private final float[][] terms;
    private final float[][] x;
    private final float[][] delta;
    private final double bias;
    private final double[][] bounds;

    /** For {@code sum_i w[r, i] x[t, i]} plus a bias of at most {@code bias}. */
    ProductBound(Tensor w, Tensor x, double bias) {
      int rows = Math.toIntExact(w.shape().rows());
      int tokens = Math.toIntExact(x.shape().rows());
      weights = new float[rows][];
      terms = new float[rows][];
      for (int r = 0; r < rows; r++) {
        weights[r] = OpData.row(w, r);
        terms[r] = Tolerance.terms(w, r);
      }
      this.x = new float[tokens][];
      delta = new float[tokens][];
      for (int t = 0; t < tokens; t++) {
        this.x[t] = OpData.row(x, t);
        delta[t] = Tolerance.activationRounding(w.type(), this.x[t]);
      }
      this.bias = bias;
      bounds = new double[tokens][rows];
    }

    @Override
    public double at(int token, int position, int col, double expected) {
      if (bounds[token][col] == 0) {
        bounds[token][col] = Tolerance.product(terms[col], x[token], delta[token]);
      }
      return bounds[token][col] + Tolerance.rounding(Math.abs(expected) + bias);
    }

    /** The product itself. */
    double exact(int token, int row) {
      double sum = 0;
      for (int i = 0; i < x[token].length; i++) {
        sum += (double) weights[row][i] * x[token][i];
      }
      return sum;
    }
  }
}
