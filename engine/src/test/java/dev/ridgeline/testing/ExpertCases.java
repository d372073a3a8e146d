package dev.ridgeline.testing;

import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.util.ArrayList;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of Route, ExpertMatMul and ExpertSum. */
final class ExpertCases {
  private ExpertCases() {}

  static Stream<OpCase> all() {
    var cases = new ArrayList<OpCase>();
    for (Routing routing : Routing.values()) {
      cases.add(route(8, 2, routing));
      cases.add(route(5, 5, routing));
      cases.add(route(128, 8, routing));
      cases.add(route(1, 1, routing));
    }
    for (DType type : OpCases.WEIGHT_TYPES) {
      int block = type.isQuantized() ? type.blockElements() : 33;
      cases.add(product(type, 5, 2, 17, 2 * block, false, false));
    }
    cases.add(product(DType.Q4_K, 8, 3, 64, 256, true, false));
    cases.add(product(DType.MXFP4, 4, 4, 33, 96, true, true));
    cases.add(product(DType.F32, 3, 1, 7, 13, false, true));
    cases.add(sum(2, 17));
    cases.add(sum(8, 256));
    return cases.stream();
  }

  /** Logits repeat, so that ties must go to the lower id. */
  private static OpCase route(int experts, int k, Routing routing) {
    return new OpCase(
        "route %d of %d %s".formatted(k, experts, ProductCases.lower(routing)),
        () -> {
          var g = new OpGraph();
          Random random = new Random(1);
          float[] logits = new float[OpGraph.ROWS * experts];
          for (int i = 0; i < logits.length; i++) {
            logits[i] = 0.25f * Math.round(8 * random.nextGaussian());
          }
          Tensor table = OpData.floats("x", ProductCases.shape(experts, OpGraph.ROWS), logits);
          return g.batches(
              g.builder.route("out", g.input(table), k, routing),
              (token, position, col, y) -> col < k ? 0 : Tolerance.function(1));
        });
  }

  /** {@code perExpert}: each of the k experts has its own input, as the down projection has. */
  private static OpCase product(
      DType type, int experts, int k, int rows, int cols, boolean perExpert, boolean withBias) {
    return new OpCase(
        "expert matmul %s %d of %d %dx%d%s%s"
            .formatted(
                ProductCases.lower(type),
                k,
                experts,
                rows,
                cols,
                perExpert ? " own inputs" : "",
                withBias ? " with bias" : ""),
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS * k, cols, 1);
          Tensor in =
              perExpert
                  ? new Tensor("x", x.type(), ProductCases.shape(cols * k, OpGraph.ROWS), x.data())
                  : OpData.inputs("x", OpGraph.ROWS, cols, 1);
          Tensor w = OpData.encoded("w", type, new Shape(cols, rows, experts, 1), 2);
          Tensor route = routes(experts, k);
          @Nullable Weight bias =
              withBias ? g.weight(OpData.gaussians("bias", experts, rows, 3)) : null;
          Value out = g.builder.expertMatMul("out", g.input(in), g.input(route), g.weight(w), bias);
          var bound = new ProductCases.ProductBound(w, perExpert ? x : in, withBias ? 5 : 0);
          return g.batches(
              out,
              (token, position, col, y) -> {
                int j = col / rows;
                int expert = (int) OpData.element(route, token, j);
                int input = perExpert ? token * k + j : token;
                return bound.at(input, position, expert * rows + col % rows, y);
              });
        });
  }

  private static OpCase sum(int k, int width) {
    return new OpCase(
        "expert sum " + k + " of " + width,
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.inputs("x", OpGraph.ROWS, k * width, 1);
          Tensor route = routes(2 * k, k);
          return g.batches(
              g.builder.expertSum("out", g.input(x), g.input(route)),
              (token, position, col, y) -> {
                double sum = 0;
                for (int j = 0; j < k; j++) {
                  sum +=
                      OpData.element(route, token, k + j)
                          * Math.abs(OpData.element(x, token, j * width + col));
                }
                return Tolerance.accumulation(k) * sum;
              });
        });
  }

  /** Routes as {@code Route} writes them: k different experts, then their weights. */
  private static Tensor routes(int experts, int k) {
    Random random = new Random(9);
    float[] route = new float[OpGraph.ROWS * 2 * k];
    for (int t = 0; t < OpGraph.ROWS; t++) {
      int first = random.nextInt(experts);
      for (int j = 0; j < k; j++) {
        route[t * 2 * k + j] = (first + j) % experts;
        route[t * 2 * k + k + j] = random.nextFloat();
      }
    }
    return OpData.floats("route", ProductCases.shape(2 * k, OpGraph.ROWS), route);
  }
}
