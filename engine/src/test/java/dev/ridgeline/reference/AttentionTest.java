package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The reference's attention against the whole score matrix, masked, in a few lines of its own. */
class AttentionTest {
  private static final int TOKENS = 50;
  private static final int HEADS = 6;
  private static final int HEADS_KV = 2;
  private static final int KEY = 32;
  private static final int VALUE = 64;

  private final Random random = new Random(5);
  private final float[] q = gaussians(TOKENS * HEADS * KEY);
  private final float[] k = gaussians(TOKENS * HEADS_KV * KEY);
  private final float[] v = gaussians(TOKENS * HEADS_KV * VALUE);
  private final float[] sinks = gaussians(HEADS);

  @ParameterizedTest
  @CsvSource({
    "0, 0, false",
    "1, 0, false",
    "7, 0, false",
    "16, 0, true",
    "49, 0, false",
    "50, 2.5, false",
    "0, 0.7, false",
    "0, 0, true",
    "7, 0.7, true"
  })
  void isTheMaskedSoftmaxOverTheSequence(int window, float softCap, boolean withSinks) {
    float[][] found = run(window, softCap, withSinks);
    for (int t = 0; t < TOKENS; t++) {
      for (int h = 0; h < HEADS; h++) {
        double[] expected = bruteForce(t, h, window, softCap, withSinks);
        for (int i = 0; i < VALUE; i++) {
          // K and V are stored as the very f16 numbers that the inputs are: one rounding remains.
          assertThat((double) found[t][h * VALUE + i]).isEqualTo(expected[i], within(1e-6));
        }
      }
    }
  }

  private double[] bruteForce(int t, int h, int window, float softCap, boolean withSinks) {
    int kvHead = h * HEADS_KV / HEADS;
    double[] p = new double[TOKENS];
    double total = withSinks ? Math.exp(sinks[h]) : 0;
    for (int j = 0; j < TOKENS; j++) {
      double s = 0;
      for (int i = 0; i < KEY; i++) {
        s += (double) q[(t * HEADS + h) * KEY + i] * k[(j * HEADS_KV + kvHead) * KEY + i];
      }
      s *= 0.125;
      if (softCap > 0) {
        s = softCap * Math.tanh(s / softCap);
      }
      boolean masked = j > t || (window > 0 && t - j >= window);
      p[j] = masked ? 0 : Math.exp(s);
      total += p[j];
    }
    double[] out = new double[VALUE];
    for (int j = 0; j < TOKENS; j++) {
      for (int i = 0; i < VALUE; i++) {
        out[i] += p[j] / total * v[(j * HEADS_KV + kvHead) * VALUE + i];
      }
    }
    return out;
  }

  /** The first 20 tokens at once, the next ten one by one, then the rest. */
  private float[][] run(int window, float softCap, boolean withSinks) {
    Map<String, Tensor> tensors = new HashMap<>();
    var b = new GraphBuilder();
    Weight sinkWeight = withSinks ? weight(tensors, "sinks", HEADS, sinks) : null;
    var params =
        new AttentionParams(HEADS, HEADS_KV, KEY, VALUE, window, 0.125f, softCap, sinkWeight);
    var out =
        b.attention(
            "out",
            b.embed("q", weight(tensors, "q", HEADS * KEY, q), 1),
            b.embed("k", weight(tensors, "k", HEADS_KV * KEY, k), 1),
            b.embed("v", weight(tensors, "v", HEADS_KV * VALUE, v), 1),
            params);
    var graph = b.build(b.selectOutputs("result", out));
    var capacity = new Capacity(TOKENS, TOKENS, 1, TOKENS, 4, List.of(13), KvType.F16);
    float[][] results = new float[TOKENS][HEADS * VALUE];
    try (var backend = new ReferenceBackend();
        Executable executable =
            backend.compile(graph, n -> Objects.requireNonNull(tensors.get(n)), capacity)) {
      var step = new Step(capacity);
      int[] blockTable = {7, 2, 12, 0, 9, 4, 1, 11, 5, 3, 10, 6, 8};
      int from = 0;
      while (from < TOKENS) {
        int to = from == 0 ? 20 : from < 30 ? from + 1 : TOKENS;
        step.clear();
        step.beginSequence(new int[][] {blockTable});
        for (int t = from; t < to; t++) {
          step.addToken(t, t, true);
        }
        executable.run(step);
        for (int t = from; t < to; t++) {
          executable.logits(t - from, results[t]);
        }
        from = to;
      }
    }
    return results;
  }

  private static Weight weight(Map<String, Tensor> tensors, String name, int cols, float[] x) {
    int rows = x.length / cols;
    MemorySegment data = MemorySegment.ofArray(x);
    tensors.put(name, new Tensor(name, DType.F32, new Shape(cols, rows, 1, 1), data));
    return new Weight(name, DType.F32, cols, rows);
  }

  /** Rounded to f16, so that storing them in the cache loses nothing. */
  private float[] gaussians(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = Float.float16ToFloat(Float.floatToFloat16((float) random.nextGaussian()));
    }
    return x;
  }
}
