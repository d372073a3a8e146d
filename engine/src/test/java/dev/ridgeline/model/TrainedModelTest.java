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
  /** A difference of two logs; and 25 times that where activations are rounded to 8 bits. */
  private static final double LOGPROB = 1.4 * TrainedModel.LOGIT;

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
          .forEach(prompt -> TrainedModel.assertContinues(run, prompt, effort.steps, 1));
    }
  }

  @ParameterizedTest
  @MethodSource("modelsWithWindows")
  void logLikelihoodsOfUnseenTextEqualTheReferences(Effort effort) throws IOException {
    var heldout = TrainedModel.read(effort.model).heldout();
    try (var run = open(effort)) {
      TrainedModel.assertLikelihoods(run, heldout, effort.windows);
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
      for (var prompt : GoldenFixture.read("draft-q8_0").prompts()) {
        run.clear();
        float[] logits = run.append(prompt.ids());
        assertThat(prompt.worstDifference(logits))
            .isCloseTo(0, within(backend.equals("reference") ? LOGPROB : INT8_LOGPROB));
      }
    }
  }
}
