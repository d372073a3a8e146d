package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.sampler.Sampler;
import dev.ridgeline.sampler.SamplerScratch;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SequenceBreakers;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The largest logits that come back instead of a vocabulary. */
class VulkanTopTest {
  private static final int WIDTH = 64;
  private static final int ROWS = 6;

  /** Of token 3 all logits are 0, of token 4 one is no number. */
  private static final int LEVEL = 3;

  private static final int BROKEN = 4;

  private static final int VOCABULARY = 8_200;

  private static final List<SamplingParams> DRAWS =
      List.of(
          SamplingParams.DEFAULTS.toBuilder().temperature(6).build(),
          SamplingParams.DEFAULTS.toBuilder().topK(64).topP(1).minP(0).temperature(20).build(),
          SamplingParams.DEFAULTS.toBuilder().topK(1).build(),
          SamplingParams.DEFAULTS.toBuilder().topK(30).topP(0.5f).temperature(0.1f).build(),
          SamplingParams.DEFAULTS.toBuilder().minP(0.3f).topP(1).temperature(9).build());

  private final Map<String, Tensor> tensors = new HashMap<>();

  private Weight matrix(String name, int cols, int rows) {
    MemorySegment data = Arena.ofAuto().allocate(4L * cols * rows, 64);
    var random = new Random(rows);
    for (int i = 0; i < cols * rows; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    tensors.put(name, new Tensor(name, DType.F32, new Shape(cols, rows, 1, 1), data));
    return new Weight(name, DType.F32, cols, rows, 0, 1);
  }

  /** Embedding and output only. */
  private Graph graph(int vocabulary) {
    var b = new GraphBuilder();
    Value x = b.embed("embed", matrix("embed", WIDTH, vocabulary), 1);
    Value last = b.selectOutputs("outputs", x);
    Graph graph = b.build(b.matMul("head", last, matrix("head", WIDTH, vocabulary), null));
    MemorySegment embed = Objects.requireNonNull(tensors.get("embed")).data();
    embed.asSlice(4L * WIDTH * LEVEL, 4L * WIDTH).fill((byte) 0);
    embed.set(ValueLayout.JAVA_FLOAT, 4L * WIDTH * BROKEN, Float.NaN);
    return graph;
  }

  private static Step step(Executable e, boolean top) {
    var step = new Step(e.capacity());
    step.clear();
    for (int row = 0; row < ROWS; row++) {
      step.beginSequence(new int[0][]);
      step.addToken(row, 0, true);
    }
    if (top) {
      step.wantTop();
    }
    return step;
  }

  @Test
  void theLargestLogitsAreAllThereWithTheirIndexes() {
    TestDevice device = TestDevice.open();
    try (var backend = new VulkanBackend(device.instance, device.index)) {
      for (int vocabulary : List.of(50, 97, 8_200, 20_011)) {
        Graph graph = graph(vocabulary);
        var capacity = new Capacity(ROWS, ROWS, ROWS, 32, 32, List.of(), KvType.F16);
        try (Executable e =
            backend.compile(graph, name -> Objects.requireNonNull(tensors.get(name)), capacity)) {
          e.run(step(e, false));
          int[] ids = new int[Executable.TOP_ROOM];
          float[] values = new float[Executable.TOP_ROOM];
          assertThat(e.top(0, ids, values)).as("not asked for").isZero();
          e.run(step(e, true));
          float[] logits = new float[vocabulary];
          for (int row = 0; row < ROWS; row++) {
            e.logits(row, logits);
            int count = e.top(row, ids, values);
            if (row == LEVEL) {
              assertThat(count).isEqualTo(vocabulary <= Executable.TOP_ROOM ? vocabulary : 0);
            } else if (row == BROKEN) {
              assertThat(e.argmax(row)).isEqualTo(-1);
            } else {
              assertTop(logits, ids, values, count, e.leastTop());
            }
          }
        }
      }
      assertThat(device.instance.messages()).isEmpty();
    }
  }

  /** Sums in float32 may draw another token than sums in float64, but hardly ever. */
  @Test
  void tokensAreDrawnAsSamplersDrawThem() {
    TestDevice device = TestDevice.open();
    var scratch = new SamplerScratch(VOCABULARY);
    int wrong = 0;
    var seen = new HashSet<Integer>();
    try (var backend = new VulkanBackend(device.instance, device.index)) {
      Graph graph = graph(VOCABULARY);
      var capacity = new Capacity(ROWS, ROWS, ROWS, 32, 32, List.of(), KvType.F16);
      try (Executable e =
          backend.compile(graph, name -> Objects.requireNonNull(tensors.get(name)), capacity)) {
        for (SamplingParams params : DRAWS) {
          for (long seed = 0; seed < 7; seed++) {
            var sampler = new Sampler(params, seed, VOCABULARY, SequenceBreakers.NONE, null);
            e.run(drawing(e, sampler));
            for (int row = 0; row < ROWS; row++) {
              if (row == LEVEL || row == BROKEN || row == 0) {
                assertThat(e.choice(row)).as("draws nothing").isEqualTo(largest(e, row));
                continue;
              }
              int[] ids = new int[Executable.TOP_ROOM];
              float[] values = new float[Executable.TOP_ROOM];
              int count = e.top(row, ids, values);
              int expected = sampler.sampleTop(ids, values, count, row, scratch);
              wrong += e.choice(row) == expected ? 0 : 1;
              seen.add(expected);
            }
          }
        }
      }
      assertThat(seen).hasSizeGreaterThan(12);
      assertThat(wrong).as("of 105").isLessThan(2);
      assertThat(device.instance.messages()).isEmpty();
    }
  }

  private static int largest(Executable e, int row) {
    return row == BROKEN ? VOCABULARY : e.argmax(row);
  }

  /** All rows but the first draw. */
  private static Step drawing(Executable e, Sampler sampler) {
    var step = new Step(e.capacity());
    step.clear();
    for (int row = 0; row < ROWS; row++) {
      step.beginSequence(new int[0][]);
      step.addToken(row, 0, true);
      if (row > 0) {
        step.draw(Objects.requireNonNull(sampler.draw(e.leastTop())), sampler.uniform(row));
      }
    }
    return step;
  }

  private static void assertTop(float[] logits, int[] ids, float[] values, int count, int least) {
    assertThat(count).isBetween(least, Executable.TOP_ROOM);
    assertThat(least).isEqualTo(Math.min(64, logits.length));
    float smallest = Float.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      assertThat(values[i]).isEqualTo(logits[ids[i]]);
      smallest = Math.min(smallest, values[i]);
    }
    float from = smallest;
    int[] expected = IntStream.range(0, logits.length).filter(id -> logits[id] >= from).toArray();
    assertThat(IntStream.of(ids).limit(count).sorted().toArray()).isEqualTo(expected);
  }
}
