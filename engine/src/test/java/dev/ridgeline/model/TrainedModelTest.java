package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.graph.Fusion;
import dev.ridgeline.testing.ModelRun;
import dev.ridgeline.testing.Shared;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Really trained models say what another implementation of them says. */
class TrainedModelTest {
  /**
   * Logits computed in float32 from the same weights; here K and V are float16, which moves logits
   * of deviation 3 by 8.5e-4 (root mean square; see {@link ModelGoldenTest}). Seven deviations.
   */
  private static final double LOGIT = 0.006;

  /** A choice between logits closer than this may fall either way. */
  private static final double NEAR_TIE = 0.01;

  /**
   * Of a sum over n ids, 4 each: each term moves by 1.2e-3 on its own, the sum of the shortest
   * prompt by {@code 1.2e-3 / (4 sqrt(31))} of itself. Six deviations.
   */
  private static final double NLL = 3.2e-4;

  /** A difference of two logs; and 25 times that where activations are rounded to 8 bits. */
  private static final double LOGPROB = 1.4 * LOGIT;

  private static final double INT8_LOGPROB = 25 * LOGPROB;

  private static final int CONTEXT = 512;

  /** With {@code -Dridgeline.tests.all=true}: everything, but one window on the scalar backend. */
  private static final boolean ALL = Boolean.getBoolean("ridgeline.tests.all");

  /** How much a backend is asked by default: what it computes in seconds. */
  record Effort(String model, String backend, int prompts, int steps, int windows) {
    static Effort of(String model, String backend) {
      int all = Integer.MAX_VALUE;
      boolean slow = backend.equals("reference");
      if (ALL) {
        return new Effort(model, backend, all, all, slow ? 1 : all);
      }
      if (!slow) {
        return new Effort(model, backend, all, all, 2);
      }
      return model.equals("draft")
          ? new Effort(model, backend, 2, all, 0)
          : new Effort(model, backend, 1, 12, 0);
    }

    @Override
    public String toString() {
      return model + " on " + backend;
    }
  }

  static Stream<Effort> modelsOnBackends() {
    return backends().flatMap(b -> Stream.of(Effort.of("draft", b), Effort.of("target", b)));
  }

  static Stream<Effort> modelsWithWindows() {
    return modelsOnBackends().filter(e -> e.windows > 0);
  }

  @ParameterizedTest
  @MethodSource("modelsOnBackends")
  void greedyContinuationsAndLogitsEqualTheReferences(Effort effort) throws IOException {
    var references = TrainedModel.read(effort.model);
    try (var run = open(effort)) {
      references.prompts().stream()
          .limit(effort.prompts)
          .forEach(prompt -> assertContinues(run, prompt, effort.steps));
    }
  }

  private static void assertContinues(ModelRun run, TrainedModel.Prompt prompt, int maxSteps) {
    run.clear();
    float[][] all = run.appendAll(prompt.ids(), prompt.ids().length);
    assertThat(nll(all, prompt.ids()))
        .isCloseTo(prompt.nll_total(), within(prompt.nll_total() * NLL));
    float[] logits = all[all.length - 1];
    for (double[] pair : prompt.last_top20()) {
      assertThat((double) logits[(int) pair[0]]).isCloseTo(pair[1], within(LOGIT));
    }
    int steps = Math.min(maxSteps, prompt.greedy_ids().length);
    for (int i = 0; i < steps && prompt.greedy_gaps()[i] >= NEAR_TIE; i++) {
      assertThat(argmax(logits)).as("step %d", i).isEqualTo(prompt.greedy_ids()[i]);
      logits = run.append(prompt.greedy_ids()[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("modelsWithWindows")
  void logLikelihoodsOfUnseenTextEqualTheReferences(Effort effort) throws IOException {
    var heldout = TrainedModel.read(effort.model).heldout();
    try (var run = open(effort)) {
      for (int w = 0; w < Math.min(effort.windows, heldout.ids().length); w++) {
        run.clear();
        int[] ids = heldout.ids()[w];
        double expected = heldout.nll()[w];
        assertThat(nll(run.appendAll(ids, ids.length), ids))
            .as("window %d", w)
            .isCloseTo(expected, within(expected * NLL));
      }
    }
  }

  private static ModelRun open(Effort effort) {
    Path model = Shared.path("models/" + effort.model + "-f16.gguf");
    return new ModelRun(model, effort.backend, CONTEXT, Fusion::fuse);
  }

  static Stream<String> backends() {
    return ModelRun.backends().stream();
  }

  /** The model that is kept in the repository, against its exactly decoded weights. */
  @ParameterizedTest
  @MethodSource("backends")
  void theSmallQuantizedModelGivesTheReferenceEnginesProbabilities(String backend)
      throws IOException, URISyntaxException {
    URL model =
        Objects.requireNonNull(getClass().getResource("/dev/ridgeline/models/draft-q8_0.gguf"));
    try (var run = new ModelRun(Path.of(model.toURI()), backend, CONTEXT, Fusion::fuse)) {
      for (var prompt : ModelGoldenTest.Fixture.read("draft-q8_0").prompts()) {
        run.clear();
        float[] logits = run.append(prompt.ids());
        assertThat(ModelGoldenTest.worstDifference(logits, prompt.top()))
            .isCloseTo(0, within(backend.equals("reference") ? LOGPROB : INT8_LOGPROB));
      }
    }
  }

  /** {@code -sum ln p(id | ids before it)} over all ids but the first. */
  private static double nll(float[][] logits, int[] ids) {
    double nll = 0;
    for (int i = 1; i < ids.length; i++) {
      nll += ModelRun.logSumExp(logits[i - 1]) - logits[i - 1][ids[i]];
    }
    return nll;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
