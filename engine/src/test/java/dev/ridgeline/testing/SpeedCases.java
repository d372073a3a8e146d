package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.Value;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Op cases of the sizes of real models, for benchmarks: put together as those of {@link OpCases}
 * are, but too large to be checked element by element. The passes of a case are its batch sizes.
 */
public final class SpeedCases {
  /** Tokens of a product's steps. */
  private static final List<Integer> BATCHES = List.of(1, 4, 8, 32, 128);

  private static final int COLS = 4096;

  /** Rows that are decoded in one step: 64 MB of float32, past most caches. */
  private static final int DECODED_ROWS = 4096;

  private static final OpCase.Bound UNCHECKED = (token, position, col, expected) -> 0;

  private SpeedCases() {}

  /**
   * Products and dequantization of every weight format, and attention.
   *
   * @param weightBytes of a product's matrix: more than the caches hold, or its speed is theirs
   */
  public static List<OpCase> all(long weightBytes) {
    List<OpCase> cases = new ArrayList<>();
    for (DType type : OpCases.WEIGHT_TYPES) {
      cases.add(product(type, weightBytes));
    }
    for (DType type : OpCases.WEIGHT_TYPES) {
      cases.add(dequantization(type));
    }
    cases.add(attention("attention 1 token at 4096", 1, 4096, 0));
    cases.add(attention("attention 1 token at 4096 window 1024", 1, 4096, 1024));
    cases.add(attention("attention causal 128 at 0", 128, 0, 0));
    cases.add(attention("attention causal 128 at 4096", 128, 4096, 0));
    cases.add(attention("attention causal 512 at 0", 512, 0, 0));
    return cases;
  }

  private static OpCase product(DType type, long weightBytes) {
    int rows = Math.toIntExact(Math.max(1, weightBytes / type.bytes(COLS)));
    return new OpCase(
        "matmul %s %dx%d".formatted(ProductCases.lower(type), rows, COLS),
        () -> {
          var g = new OpGraph();
          Tensor x = OpData.gaussians("x", 128, COLS, 1);
          Tensor w = OpData.extremes("w", type, ProductCases.shape(COLS, rows), 2);
          Value out = g.builder.matMul("out", g.input(x), g.weight(w), null);
          var capacity = new Capacity(128, 128, 1, 4096, 16, List.of(), KvType.F16);
          return g.steps(out, capacity, BATCHES.stream().map(n -> pass(0, n)).toList(), UNCHECKED);
        });
  }

  private static OpCase dequantization(DType type) {
    return new OpCase(
        "dequantize %s %dx%d".formatted(ProductCases.lower(type), DECODED_ROWS, COLS),
        () -> {
          var g = new OpGraph();
          Tensor table = OpData.extremes("table", type, ProductCases.shape(COLS, DECODED_ROWS), 3);
          Value out = g.builder.embed("out", g.weight(table), 1);
          var capacity =
              new Capacity(DECODED_ROWS, DECODED_ROWS, 1, DECODED_ROWS, 16, List.of(), KvType.F16);
          return g.steps(out, capacity, List.of(pass(0, DECODED_ROWS)), UNCHECKED);
        });
  }

  /** 32 heads over 8 of 128 elements, as in llama-8b. */
  private static OpCase attention(String name, int tokens, int depth, int window) {
    return new OpCase(
        name,
        () -> {
          int heads = 32;
          int headsKv = 8;
          int dim = 128;
          var g = new OpGraph();
          Value q = g.input(OpData.gaussians("q", tokens, heads * dim, 1));
          Value k = g.input(OpData.gaussians("k", tokens, headsKv * dim, 2));
          Value v = g.input(OpData.gaussians("v", tokens, headsKv * dim, 3));
          float scale = (float) (1 / Math.sqrt(dim));
          var params = new AttentionParams(heads, headsKv, dim, dim, window, scale, 0, null);
          Value out = g.builder.attention("out", q, k, v, params);
          int blockTokens = 32;
          int context = depth + tokens;
          var capacity =
              new Capacity(
                  tokens,
                  tokens,
                  1,
                  context,
                  blockTokens,
                  List.of(Math.ceilDiv(context, blockTokens)),
                  KvType.F16);
          return g.steps(out, capacity, List.of(pass(depth, tokens)), UNCHECKED);
        });
  }

  private static OpCase.Pass pass(int position, int tokens) {
    return new OpCase.Pass(1, List.of(new OpCase.Run(0, position, 0, tokens)));
  }
}
