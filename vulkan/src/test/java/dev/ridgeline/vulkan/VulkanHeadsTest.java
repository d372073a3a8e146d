package dev.ridgeline.vulkan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Norms and rotations of heads and the KV store inside attention, in steps of few tokens. */
class VulkanHeadsTest {
  private static final int WIDTH = 64;
  private static final int VOCABULARY = 61;
  private static final int CONTEXT = 384;
  private static final int BLOCK = 16;
  private static final int SEQUENCES = 6;

  /** Two layers of attention alone. */
  private static final class Attentions {
    private final GraphBuilder b = new GraphBuilder();
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Graph graph;

    Attentions(int heads, int headsKv, AttentionParams p, RopeParams rope, boolean norms) {
      Value x = b.embed("embed", weight("embed", WIDTH, VOCABULARY), 1);
      for (int layer = 0; layer < 2; layer++) {
        Value q = matMul("q" + layer, x, heads * p.keyDim());
        Value k = matMul("k" + layer, x, headsKv * p.keyDim());
        Value v = matMul("v" + layer, x, headsKv * p.valueDim());
        if (norms) {
          q = b.rmsNorm("q_norm" + layer, q, weight("q_norm" + layer, p.keyDim(), 1), 1e-6f);
          k = b.rmsNorm("k_norm" + layer, k, weight("k_norm" + layer, p.keyDim(), 1), 1e-6f);
        }
        q = b.rope("q_rope" + layer, q, rope, null);
        k = b.rope("k_rope" + layer, k, rope, null);
        Value out = b.attention("attended" + layer, q, k, v, p);
        x = b.add("x" + layer, x, matMul("o" + layer, out, WIDTH), 1);
      }
      Value last = b.selectOutputs("outputs", x);
      graph = b.build(matMul("head", last, VOCABULARY));
    }

    private Value matMul(String name, Value x, int rows) {
      return b.matMul(name, x, weight(name, x.width(), rows), null);
    }

    private Weight weight(String name, int cols, int rows) {
      Random random = new Random(name.hashCode());
      MemorySegment data = Arena.ofAuto().allocate(4L * cols * rows, 64);
      for (int i = 0; i < cols * rows; i++) {
        data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (random.nextGaussian() / 8));
      }
      tensors.put(name, new Tensor(name, DType.F32, new Shape(cols, rows, 1, 1), data));
      return new Weight(name, DType.F32, cols, rows, 0, 1);
    }
  }

  /**
   * Prompts of sequences, of lengths about the ends of tiles and parts; then steps of few tokens.
   */
  private static List<float[]> logits(VulkanBackend backend, Attentions model, KvType kv) {
    int table = CONTEXT / BLOCK;
    var blocks = Collections.nCopies(model.graph.kvGroups().size(), table * SEQUENCES);
    var capacity = new Capacity(CONTEXT, CONTEXT, SEQUENCES, CONTEXT, BLOCK, blocks, kv);
    var result = new ArrayList<float[]>();
    try (Executable e =
        backend.compile(
            Fusion.fuse(model.graph),
            name -> requireNonNull(model.tensors.get(name), name),
            capacity)) {
      int[] ends = {1, 62, 127, 318, 30, 250};
      for (int s = 0; s < SEQUENCES; s++) {
        int[] counts = new int[SEQUENCES];
        counts[s] = ends[s];
        result.addAll(run(e, model.graph, new int[SEQUENCES], counts));
      }
      int[][] steps = {
        {1, 0, 0, 0, 0, 0},
        {0, 0, 0, 1, 0, 0},
        {1, 1, 1, 1, 0, 0},
        {0, 4, 0, 0, 0, 0},
        {0, 0, 3, 1, 0, 0},
        {2, 0, 0, 2, 0, 0},
        {1, 2, 1, 0, 0, 0},
        {1, 1, 1, 1, 1, 1},
        {1, 3, 1, 1, 2, 1},
        {1, 1, 9, 1, 1, 1},
        {1, 40, 1, 1, 1, 1},
        {1, 1, 1, 1, 1, 1}
      };
      for (int[] counts : steps) {
        result.addAll(run(e, model.graph, ends, counts));
        for (int s = 0; s < SEQUENCES; s++) {
          ends[s] += counts[s];
        }
      }
    }
    return result;
  }

  private static List<float[]> run(Executable e, Graph graph, int[] from, int[] counts) {
    var step = new Step(e.capacity());
    for (int s = 0; s < SEQUENCES; s++) {
      int sequence = s;
      int[] table =
          IntStream.range(0, CONTEXT / BLOCK).map(i -> i * SEQUENCES + sequence).toArray();
      if (counts[s] > 0) {
        step.beginSequence(
            Collections.nCopies(graph.kvGroups().size(), table).toArray(int[][]::new));
        for (int p = from[s]; p < from[s] + counts[s]; p++) {
          step.addToken((7 * p + 3 * s) % VOCABULARY, p, true);
        }
      }
    }
    e.run(step);
    var rows = new ArrayList<float[]>();
    for (int output = 0; output < step.outputCount(); output++) {
      float[] row = new float[VOCABULARY];
      e.logits(output, row);
      rows.add(row);
    }
    return rows;
  }

  @ParameterizedTest
  @CsvSource({
    // heads, KV heads, their elements in K and V, rotated ones, layout, norms, window, soft cap, KV
    "4, 1, 128, 128, 128, NORM, false, 0, 0, F16",
    "4, 2, 64, 64, 32, NEOX, true, 70, 30, Q8_0",
    "2, 1, 256, 256, 256, NEOX, true, 200, 0, F16",
    "9, 1, 96, 64, 96, NEOX, false, 0, 0, F16",
    "10, 1, 32, 32, 16, NORM, true, 0, 0, Q8_0",
    "3, 3, 80, 80, 80, NEOX, false, 33, 0, F16",
    "2, 1, 264, 128, 64, NORM, true, 0, 0, F16",
  })
  void headsInsideAttentionGiveTheBitsOfHeadsApart(
      int heads,
      int headsKv,
      int keyDim,
      int valueDim,
      int dims,
      Layout layout,
      boolean norms,
      int window,
      float softCap,
      KvType kv) {
    TestDevice device = TestDevice.open();
    try (var backend = new VulkanBackend(device.instance, device.index)) {
      var p = new AttentionParams(heads, headsKv, keyDim, valueDim, window, 0.3f, softCap, null);
      var rope = RopeParams.plain(layout, keyDim, dims, 10_000);
      var model = new Attentions(heads, headsKv, p, rope, norms);
      List<float[]> inside = logits(backend, model, kv);
      System.setProperty(AttentionRecorder.APART, "true");
      List<float[]> apart = logits(backend, model, kv);
      assertThat(inside).hasSameSizeAs(apart);
      for (int i = 0; i < apart.size(); i++) {
        assertThat(inside.get(i)).as("output " + i).isEqualTo(apart.get(i));
      }
      assertThat(device.instance.messages()).isEmpty();
    } finally {
      System.clearProperty(AttentionRecorder.APART);
    }
  }
}
