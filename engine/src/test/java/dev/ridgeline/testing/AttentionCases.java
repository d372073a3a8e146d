package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of StoreKv and Attention: three sequences, scattered blocks, prompts and single tokens. */
final class AttentionCases {
  /** Rows of every input: a row for each token of all passes. */
  static final int ROWS = 320;

  private static final int CONTEXT = 256;
  private static final int SEQUENCES = 3;

  private AttentionCases() {}

  static Stream<OpCase> all() {
    return Stream.of(
        attention("attention 4x64", 4, 4, 64, 64, 0, 16, KvType.F16, 0, false),
        attention("attention 8x64 over 2", 8, 2, 64, 64, 0, 16, KvType.F16, 0, false),
        attention("attention 3x128 over 1", 3, 1, 128, 128, 0, 5, KvType.F16, 0, false),
        attention("attention 4x80 over 4", 4, 4, 80, 80, 0, 32, KvType.F16, 0, false),
        attention("attention 2x256 over 1", 2, 1, 256, 256, 0, 16, KvType.F16, 0, false),
        attention("attention 4x96 values 64", 4, 2, 96, 64, 0, 16, KvType.F16, 0, false),
        attention("attention 2x40", 2, 1, 40, 40, 0, 1, KvType.F16, 0, false),
        attention("attention 8x64 over 2 q8_0", 8, 2, 64, 64, 0, 16, KvType.Q8_0, 0, false),
        attention("attention 4x128 over 4 q8_0", 4, 4, 128, 128, 0, 7, KvType.Q8_0, 0, false),
        attention("attention window 4", 4, 2, 64, 64, 4, 16, KvType.F16, 0, false),
        attention("attention window 37", 4, 2, 64, 64, 37, 8, KvType.F16, 0, false),
        attention("attention window 37 q8_0", 4, 2, 64, 64, 37, 8, KvType.Q8_0, 0, false),
        attention("attention soft cap", 4, 2, 64, 64, 0, 16, KvType.F16, 1.5f, false),
        attention("attention sinks", 8, 2, 64, 64, 0, 16, KvType.F16, 0, true),
        attention("attention sinks window 16", 8, 2, 64, 64, 16, 16, KvType.F16, 0, true));
  }

  private static OpCase attention(
      String name,
      int heads,
      int headsKv,
      int keyDim,
      int valueDim,
      int window,
      int blockTokens,
      KvType kvType,
      float softCap,
      boolean withSinks) {
    return new OpCase(
        name,
        () -> {
          var g = new OpGraph();
          Tensor q = OpData.gaussians("q", ROWS, heads * keyDim, 1);
          Tensor k = OpData.gaussians("k", ROWS, headsKv * keyDim, 2);
          Tensor v = OpData.gaussians("v", ROWS, headsKv * valueDim, 3);
          @Nullable Weight sinks =
              withSinks ? g.weight(OpData.gaussians("sinks", 1, heads, 4)) : null;
          float scale = (float) (1 / Math.sqrt(keyDim));
          var params =
              new AttentionParams(heads, headsKv, keyDim, valueDim, window, scale, softCap, sinks);
          Value out = g.builder.attention("out", g.input(q), g.input(k), g.input(v), params);
          int blocks = (CONTEXT + blockTokens - 1) / blockTokens * SEQUENCES;
          var capacity =
              new Capacity(ROWS, ROWS, SEQUENCES, CONTEXT, blockTokens, List.of(blocks), kvType);
          double error = error(kvType, keyDim, scale);
          return g.steps(out, capacity, passes(), (token, position, col, y) -> error);
        });
  }

  /**
   * Gaussians of at most 5 in magnitude; a stored q8_0 element may be off by a whole level where
   * the exact quotient lies at a tie, a stored f16 is the same everywhere.
   */
  private static double error(KvType kvType, int keyDim, float scale) {
    double largest = 5;
    double level = kvType == KvType.Q8_0 ? largest / 127 : 0;
    double score =
        scale
            * (Tolerance.accumulation(keyDim) * keyDim * largest
                + 0.05 * level * Math.sqrt(keyDim));
    return Tolerance.attention(score, CONTEXT, largest, 0.05 * level);
  }

  /** Room for {@link #passes()}. */
  static Capacity capacity(int blockTokens, List<Integer> kvBlocks) {
    return new Capacity(
        ROWS, ROWS, SEQUENCES, CONTEXT, Math.max(1, blockTokens), kvBlocks, KvType.F16);
  }

  /** Prompts of 70, 33, 7, 2 and 1 tokens in chunks, mixed with single tokens of others. */
  static List<OpCase.Pass> passes() {
    return List.of(
        pass(run(0, 0, 0, 70)),
        pass(run(0, 70, 70, 1)),
        pass(run(0, 71, 71, 1), run(1, 0, 72, 33)),
        pass(run(1, 33, 105, 1), run(2, 0, 106, 1), run(0, 72, 107, 7)),
        pass(run(2, 1, 114, 2), run(0, 79, 116, 100), run(1, 34, 216, 1)),
        pass(run(0, 179, 217, 1), run(1, 35, 218, 1), run(2, 3, 219, 1)),
        pass(run(0, 180, 220, 33)),
        pass(run(2, 4, 253, 66)),
        pass(run(0, 213, 319, 1)));
  }

  private static OpCase.Pass pass(OpCase.Run... runs) {
    return new OpCase.Pass(1, List.of(runs));
  }

  private static OpCase.Run run(int sequence, int position, int firstToken, int count) {
    return new OpCase.Run(sequence, position, firstToken, count);
  }
}
