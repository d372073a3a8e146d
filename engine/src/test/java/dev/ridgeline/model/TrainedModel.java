package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.testing.ModelRun;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What another implementation computed for a trained model in float32, from the same F16 weights.
 */
public record TrainedModel(List<Prompt> prompts, Heldout heldout) {
  /**
   * Logits computed in float32 from the same weights; here K and V are float16, which moves logits
   * of deviation 3 by 8.5e-4 (root mean square; see {@link GoldenFixture#FLOAT16_KV}). Seven
   * deviations.
   */
  public static final double LOGIT = 0.006;

  /**
   * How many times as far off logits are with weights in Q8_0 and activations rounded to 8 bits:
   * 0.5 % of a product each, 25 times as much as float16, and independent of each other.
   */
  public static final double EIGHT_BITS = 25 * Math.sqrt(2);

  /** A choice between logits closer than this may fall either way. */
  private static final double NEAR_TIE = 0.01;

  /**
   * Of a sum over n ids, 4 each: each term moves by 1.2e-3 on its own, the sum of the shortest
   * prompt by {@code 1.2e-3 / (4 sqrt(31))} of itself. Six deviations.
   */
  private static final double NLL = 3.2e-4;

  /**
   * Some ids and what followed them.
   *
   * @param ids begins with BOS
   * @param last_top20 {@code [id, logit]} of the highest logits after the last id
   * @param nll_total {@code -sum ln p(id | ids before it)} over all ids but the first
   * @param greedy_ids the continuation
   * @param greedy_gaps at each of its steps, how far the chosen logit was above the next
   */
  public record Prompt(
      int[] ids, double[][] last_top20, double nll_total, int[] greedy_ids, double[] greedy_gaps) {}

  /** Windows of text that the model never saw: ids, and nll of all but the first. */
  public record Heldout(int[][] ids, double[] nll) {}

  /** The references of the model called {@code name}. */
  public static TrainedModel read(String name) throws IOException {
    String resource = "/dev/ridgeline/models/" + name + "-refs.json";
    var json =
        JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    try (InputStream in =
        Objects.requireNonNull(TrainedModel.class.getResourceAsStream(resource), resource)) {
      return json.readValue(in, TrainedModel.class);
    }
  }

  /**
   * Checks the likelihood of {@code prompt}, the highest logits after it, and each choice of the
   * continuation that is no near tie.
   *
   * @param noise times as far off as float16 K and V may it be
   */
  public static void assertContinues(ModelRun run, Prompt prompt, int maxSteps, double noise) {
    run.clear();
    float[][] all = run.appendAll(prompt.ids(), prompt.ids().length);
    assertThat(nll(all, prompt.ids()))
        .isCloseTo(prompt.nll_total(), within(prompt.nll_total() * NLL * noise));
    float[] logits = all[all.length - 1];
    for (double[] pair : prompt.last_top20()) {
      assertThat((double) logits[(int) pair[0]]).isCloseTo(pair[1], within(LOGIT * noise));
    }
    int steps = Math.min(maxSteps, prompt.greedy_ids().length);
    for (int i = 0; i < steps; i++) {
      if (prompt.greedy_gaps()[i] >= NEAR_TIE * noise) {
        assertThat(argmax(logits)).as("step %d", i).isEqualTo(prompt.greedy_ids()[i]);
      }
      logits = run.append(prompt.greedy_ids()[i]);
    }
  }

  /** Checks the likelihoods of the first {@code windows} windows. */
  public static void assertLikelihoods(ModelRun run, Heldout heldout, int windows) {
    for (int w = 0; w < Math.min(windows, heldout.ids().length); w++) {
      run.clear();
      int[] ids = heldout.ids()[w];
      double expected = heldout.nll()[w];
      assertThat(nll(run.appendAll(ids, ids.length), ids))
          .as("window %d", w)
          .isCloseTo(expected, within(expected * NLL));
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
