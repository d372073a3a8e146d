package dev.ridgeline.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every backend promises beyond single ops, on {@link TinyModel}: how tokens are split into
 * steps and batched with others changes nothing; steps out of bounds are refused and do no harm;
 * steps allocate next to nothing. A backend's test extends this.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
  private static final int BLOCK = 8;
  private static final int CONTEXT = 64;
  private static final int BLOCKS = CONTEXT / BLOCK;

  /** Holds the weights' memory for as long as an executable may read it. */
  private final Map<DType, TinyModel> models = new EnumMap<>(DType.class);

  /** The backend under test, always the same; closed when all tests have run. */
  protected abstract Backend backend();

  /**
   * How far apart the logits of two ways to compute the same may be, over their root mean square: 0
   * if every row is computed alike whatever stands beside it; otherwise with its derivation.
   *
   * @param type of the weights
   * @param fewestTokens of any step of the two
   */
  protected abstract double relativeTolerance(DType type, int fewestTokens);

  /**
   * Of {@link TinyModel#EXPERTS}, in the model of this weight type. With all of them no rounding
   * makes a router choose another one, which would move a logit by its own size.
   */
  protected int expertsUsed(DType type) {
    return 2;
  }

  private TinyModel model(DType type) {
    return models.computeIfAbsent(type, t -> new TinyModel(t, expertsUsed(t)));
  }

  @AfterAll
  void close() {
    backend().close();
  }

  static Stream<Arguments> variants() {
    return Stream.of(DType.F32, DType.F16, DType.Q8_0, DType.Q4_0)
        .flatMap(type -> Stream.of(KvType.values()).map(kv -> Arguments.of(type, kv)));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void aPromptAtOnceEqualsItsTokensOneByOne(DType type, KvType kvType) {
    float[][] oneByOne = run(type, kvType, 1, 1);
    float[][] bySeven = run(type, kvType, 1, 7);
    float[][] atOnce = run(type, kvType, 1, 40);
    assertSame(bySeven, oneByOne, relativeTolerance(type, 1));
    assertSame(atOnce, oneByOne, relativeTolerance(type, 1));
    assertSame(atOnce, bySeven, relativeTolerance(type, 5));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void sequencesBatchedEqualSequencesAlone(DType type, KvType kvType) {
    assertSame(run(type, kvType, 3, 5), run(type, kvType, 1, 5), relativeTolerance(type, 5));
  }

  /**
   * Logits of every position of three sequences of 40 tokens, {@code together} of them at a time.
   */
  private float[][] run(DType type, KvType kvType, int together, int chunk) {
    var model = model(type);
    float[][] logits = new float[3 * 40][TinyModel.VOCABULARY];
    try (Executable executable =
        backend().compile(model.graph, model.weights(), capacity(kvType))) {
      var step = new Step(executable.capacity());
      for (int first = 0; first < 3; first += together) {
        for (int position = 0; position < 40; position += chunk) {
          int end = Math.min(40, position + chunk);
          step.clear();
          for (int s = first; s < first + together; s++) {
            addTokens(step, s, position, end);
          }
          executable.run(step);
          int output = 0;
          for (int s = first; s < first + together; s++) {
            for (int p = position; p < end; p++) {
              executable.logits(output, logits[40 * s + p]);
              assertThat(executable.argmax(output++)).isEqualTo(argmax(logits[40 * s + p]));
            }
          }
        }
      }
    }
    return logits;
  }

  private static void addTokens(Step step, int sequence, int from, int to) {
    int[] tokens = new Random(sequence).ints(40, 0, TinyModel.VOCABULARY).toArray();
    step.beginSequence(blockTables(sequence, from));
    for (int p = from; p < to; p++) {
      step.addToken(tokens[p], p, true);
    }
  }

  /** The second group's blocks are other ones, and are freed behind the window. */
  private static int[][] blockTables(int sequence, int from) {
    int[] all = new int[BLOCKS];
    int[] windowed = new int[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
      all[i] = sequence + 3 * i;
      boolean visible = (i + 1) * BLOCK > from - TinyModel.WINDOW + 1;
      windowed[i] = visible ? 3 * BLOCKS - 1 - all[i] : Step.FREED;
    }
    return new int[][] {all, windowed};
  }

  private static Capacity capacity(KvType kvType) {
    return new Capacity(120, 120, 3, CONTEXT, BLOCK, List.of(3 * BLOCKS, 3 * BLOCKS), kvType);
  }

  private static void assertSame(float[][] found, float[][] expected, double tolerance) {
    for (int row = 0; row < expected.length; row++) {
      double squares = 0;
      for (float x : expected[row]) {
        squares += (double) x * x;
      }
      double rms = Math.sqrt(squares / expected[row].length);
      for (int i = 0; i < expected[row].length; i++) {
        assertThat(Math.abs((double) found[row][i] - expected[row][i]))
            .as("row %d, logit %d: %s for %s", row, i, found[row][i], expected[row][i])
            .isLessThanOrEqualTo(tolerance * rms);
      }
    }
  }

  @Test
  void aLogitThatIsNoNumberLeavesNoChoice() {
    var model = model(DType.F32);
    Tensor embed = model.weights().tensor("embed");
    MemorySegment copy =
        Arena.ofAuto().allocate(embed.data().byteSize(), 64).copyFrom(embed.data());
    copy.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 0, Float.NaN);
    Weights weights =
        name ->
            name.equals("embed")
                ? new Tensor(name, embed.type(), embed.shape(), copy)
                : model.weights().tensor(name);
    try (Executable executable = backend().compile(model.graph, weights, capacity(KvType.F16))) {
      executable.run(step(executable, 0, 0, blockTables(0, 0)));
      float[] logits = new float[TinyModel.VOCABULARY];
      executable.logits(0, logits);
      assertThat(logits).contains(Float.NaN);
      assertThat(executable.argmax(0)).isEqualTo(-1);
      executable.run(step(executable, 1, 0, blockTables(0, 0)));
      executable.logits(0, logits);
      assertThat(executable.argmax(0)).isEqualTo(argmax(logits));
    }
  }

  private static int argmax(float[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      best = x[i] > x[best] ? i : best;
    }
    return best;
  }

  @Test
  void stepsOutOfBoundsAreRefusedAndDoNoHarm() {
    var model = model(DType.Q8_0);
    try (Executable executable =
        backend().compile(model.graph, model.weights(), capacity(KvType.F16))) {
      float[] before = new float[TinyModel.VOCABULARY];
      float[] after = new float[TinyModel.VOCABULARY];
      executable.run(step(executable, 0, 0, blockTables(0, 0)));
      executable.logits(0, before);
      assertRefused(executable, TinyModel.VOCABULARY, 0, blockTables(0, 0), "token 97");
      assertRefused(executable, -1, 0, blockTables(0, 0), "token -1");
      assertRefused(executable, 0, CONTEXT, blockTables(0, 0), "position 64");
      assertRefused(executable, 0, 0, new int[][] {{24}, {0}}, "KV block 24");
      assertRefused(executable, 0, 0, new int[][] {{0}, {Step.FREED}}, "KV block -1");
      assertRefused(executable, 0, BLOCK, new int[][] {{0}, {0}}, "last block 1");
      executable.logits(0, after);
      assertThat(after).isEqualTo(before);
      assertThatThrownBy(() -> executable.logits(1, after)).hasMessageContaining("output 1");
      assertThatThrownBy(() -> executable.argmax(-1)).hasMessageContaining("output -1");
    }
  }

  private static void assertRefused(
      Executable executable, int token, int position, int[][] tables, String why) {
    assertThatThrownBy(() -> executable.run(step(executable, token, position, tables)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }

  private static Step step(Executable executable, int token, int position, int[][] tables) {
    var step = new Step(executable.capacity());
    step.clear();
    step.beginSequence(tables);
    step.addToken(token, position, true);
    return step;
  }

  @Test
  void aTensorUnlikeItsWeightIsRefused() {
    var model = model(DType.F16);
    var other = model(DType.BF16);
    assertThatThrownBy(
            () -> backend().compile(model.graph, other.weights(), capacity(KvType.F16)).close())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BF16");
  }

  @Test
  void thePlanIsMadeOfTheGraphAndTheCapacity() {
    var model = model(DType.F16);
    MemoryPlan plan = backend().plan(model.graph, capacity(KvType.Q8_0));
    // Two layers of 24 blocks of 8 slots of 2 heads of K and V, 32 wide: 34 bytes each in q8_0.
    assertThat(plan.kvBytes()).isEqualTo(2L * 24 * 8 * 2 * 2 * 34);
    assertThat(plan.activationBytes()).isPositive();
    assertThat(plan.totalBytes())
        .isEqualTo(
            plan.weightBytes()
                + plan.repackedBytes()
                + plan.kvBytes()
                + plan.activationBytes()
                + plan.stagingBytes());
  }

  /** Bytes that the calling thread may allocate for a step of one token. */
  protected long bytesAStep() {
    return 2048;
  }

  @Test
  void aStepAllocatesNextToNothingOnTheCallingThread() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var model = model(DType.Q8_0);
    try (Executable executable =
        backend().compile(model.graph, model.weights(), capacity(KvType.F16))) {
      Step step = step(executable, 1, 0, blockTables(0, 0));
      long[] bytes = new long[200];
      // Vector kernels put their vectors on the heap until the JIT has compiled them, so that the
      // number of steps until all are warm is the machine's; that they get there is the promise.
      for (int batch = 0; batch < 200; batch++) {
        for (int i = 0; i < bytes.length; i++) {
          long before = threads.getCurrentThreadAllocatedBytes();
          executable.run(step);
          bytes[i] = threads.getCurrentThreadAllocatedBytes() - before;
        }
        // The median: without the odd step in which the JIT steps in.
        Arrays.sort(bytes);
        if (bytes[100] < bytesAStep()) {
          break;
        }
      }
      assertThat(bytes[100]).isLessThan(bytesAStep());
    }
  }
}
