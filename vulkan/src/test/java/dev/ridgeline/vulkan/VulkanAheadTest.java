package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.TinyFile;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps that take their tokens from the step before, which is still running. */
class VulkanAheadTest {
  private static final String AHEAD = "ridgeline.vulkan.ahead";
  private static final String SOFTWARE = "ridgeline.vulkan.software";
  private static final int SEQUENCES = 6;
  private static final int CONTEXT = 64;
  private static final int BLOCK = 8;
  private static final int BLOCKS = CONTEXT / BLOCK;
  private static final int PROMPT = 5;
  private static final int STEPS = 14;
  private static final Capacity CAPACITY =
      new Capacity(
          64,
          SEQUENCES,
          SEQUENCES,
          CONTEXT,
          BLOCK,
          List.of(SEQUENCES * BLOCKS, SEQUENCES * BLOCKS),
          KvType.F16);

  private static TestDevice device;
  private static VulkanBackend backend;

  @BeforeAll
  static void open() {
    device = TestDevice.open();
    backend = new VulkanBackend(device.instance, device.index);
  }

  @AfterEach
  void nothingWasSaid() {
    System.clearProperty(AHEAD);
    System.clearProperty(SOFTWARE);
    assertThat(device.instance.messages()).isEmpty();
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  private static int[][] tables(int sequence) {
    int[] table = IntStream.range(0, BLOCKS).map(i -> i * SEQUENCES + sequence).toArray();
    return new int[][] {table, table};
  }

  private static Step prompts(int sequences) {
    var step = new Step(CAPACITY);
    step.clear();
    for (int s = 0; s < sequences; s++) {
      step.beginSequence(tables(s));
      for (int p = 0; p < PROMPT; p++) {
        step.addToken((7 * p + 3 * s) % TinyModel.VOCABULARY, p, p == PROMPT - 1);
      }
    }
    return step;
  }

  /** Whose step {@code n} has a row: sequence 0 ends in the middle. */
  private static List<Integer> running(int sequences, int n) {
    int first = sequences > 1 && n > STEPS / 2 ? 1 : 0;
    return IntStream.range(first, sequences).boxed().toList();
  }

  private record Seen(List<List<Integer>> choices, List<float[]> logits) {
    Seen() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    void look(Executable e, int outputs) {
      choices.add(IntStream.range(0, outputs).map(e::argmax).boxed().toList());
    }

    void read(Executable e, int outputs) {
      for (int output = 0; output < outputs; output++) {
        float[] row = new float[e.vocabularySize()];
        e.logits(output, row);
        logits.add(row);
      }
    }
  }

  private static Step step(List<Integer> sequences, int n, List<Integer> tokens) {
    var step = new Step(CAPACITY);
    step.clear();
    for (int i = 0; i < sequences.size(); i++) {
      step.beginSequence(tables(sequences.get(i)));
      step.addToken(tokens.get(i), PROMPT + n, true);
    }
    return step;
  }

  private static Seen oneAfterTheOther(Executable e, int sequences) {
    var seen = new Seen();
    e.run(prompts(sequences));
    List<Integer> before = running(sequences, -1);
    seen.look(e, before.size());
    for (int n = 0; n < STEPS; n++) {
      List<Integer> now = running(sequences, n);
      List<Integer> last = before;
      List<Integer> chosen = seen.choices.getLast();
      e.run(step(now, n, now.stream().map(s -> chosen.get(last.indexOf(s))).toList()));
      seen.look(e, now.size());
      before = now;
    }
    seen.read(e, before.size());
    return seen;
  }

  private static Seen ahead(Executable e, int sequences) {
    var seen = new Seen();
    e.start(prompts(sequences));
    List<Integer> before = running(sequences, -1);
    for (int n = 0; n < STEPS; n++) {
      List<Integer> now = running(sequences, n);
      List<Integer> last = before;
      e.startNext(step(now, n, now.stream().map(s -> Step.choice(last.indexOf(s))).toList()));
      e.await();
      seen.look(e, before.size());
      assertThatThrownBy(() -> e.logits(0, new float[e.vocabularySize()]))
          .hasMessageContaining("overwrites the logits");
      before = now;
    }
    e.await();
    seen.look(e, before.size());
    seen.read(e, before.size());
    return seen;
  }

  @ParameterizedTest
  @CsvSource({"F32,6", "Q4_0,1", "Q4_0,3", "Q4_0,6"})
  void choicesAndLogitsAreThoseOfOneStepAfterTheOther(DType type, int sequences) {
    var model = new TinyModel(type);
    try (Executable e = backend.compile(Fusion.fuse(model.graph), model.weights(), CAPACITY)) {
      Seen expected = oneAfterTheOther(e, sequences);
      Seen found = ahead(e, sequences);
      assertThat(found.choices).isEqualTo(expected.choices);
      assertThat(expected.choices.stream().distinct().count()).as("they move").isGreaterThan(1);
      for (int i = 0; i < expected.logits.size(); i++) {
        assertThat(found.logits.get(i)).isEqualTo(expected.logits.get(i));
      }
    }
  }

  @Test
  void aStepThatWasStartedAheadCanBeDropped() {
    var model = new TinyModel(DType.Q8_0);
    try (Executable e = backend.compile(Fusion.fuse(model.graph), model.weights(), CAPACITY)) {
      Seen expected = oneAfterTheOther(e, 2);
      e.start(prompts(2));
      e.startNext(step(List.of(0, 1), 0, List.of(Step.choice(1), Step.choice(0)))); // not theirs
      e.await();
      assertThat(oneAfterTheOther(e, 2).choices).isEqualTo(expected.choices);
      assertThatThrownBy(e::await).hasMessage("no step is under way");
      e.start(prompts(1));
      assertThatThrownBy(() -> e.startNext(step(List.of(0), 0, List.of(Step.choice(1)))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("token -2");
      e.await();
      assertThat(e.argmax(0)).isEqualTo(expected.choices.getFirst().getFirst());
    }
  }

  @Test
  void anEngineGivesTheSameTextsWithAndWithout(@TempDir Path folder) throws Exception {
    Path file = TinyFile.write(folder);
    System.setProperty(SOFTWARE, "true");
    List<int[]> expected = texts(file, "false");
    assertThat(texts(file, "true")).usingRecursiveComparison().isEqualTo(expected);
    assertThat(expected.stream().mapToInt(ids -> ids.length).max().orElse(0)).isGreaterThan(50);
  }

  private static List<int[]> texts(Path file, String ahead) {
    System.setProperty(AHEAD, ahead);
    GenerateParams greedy =
        GenerateParams.builder().sampling(SamplingParams.GREEDY).maxTokens(100).build();
    EngineOptions options =
        EngineOptions.builder().backend("vulkan").parallel(4).context(128).build();
    try (Engine engine = Engine.open(file, options)) {
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < 7; i++) {
        GenerateParams params = i % 2 == 0 ? greedy.toBuilder().ignoreEos(true).build() : greedy;
        if (i % 3 == 0) {
          var drawn = SamplingParams.DEFAULTS.toBuilder().temperature(1.5f).seed((long) i).build();
          params = params.toBuilder().sampling(drawn).build();
        }
        streams.add(engine.generate("abc".repeat(1 + i), params));
      }
      return streams.stream().map(s -> s.collect().ids()).toList();
    }
  }
}
