package dev.ridgeline.model;

import dev.ridgeline.testing.ModelRun;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the reference engine said of a model, recorded by {@code dev/record-goldens}.
 *
 * @param sha256 of the model file
 */
public record GoldenFixture(String sha256, Prompt[] prompts) {
  /**
   * How far log-probabilities may be off. The reference engine ran in float32 throughout; here K
   * and V are float16. A rounding to float16 errs by 2e-4 of the value (root mean square). V passes
   * it on, K about as much by the scores: 2.8e-4 of the stream, 8.5e-4 of logits with deviation 3,
   * and 1.2e-3 of the difference to their ln sum exp. Six of these deviations cover the 20 logits
   * of all cases.
   */
  public static final double FLOAT16_KV = 0.008;

  /**
   * The same for a backend that rounds activations to 8 bits for quantized weights, which errs by
   * 0.5 % of a product: 25 times as much as float16.
   */
  public static final double INT8_ACTIVATIONS = 25 * FLOAT16_KV;

  /**
   * What followed some ids.
   *
   * @param top the most likely next tokens
   */
  public record Prompt(int[] ids, Token[] top) {
    /** How far the worst of {@link #top} is from its log-probability by {@code logits}. */
    public double worstDifference(float[] logits) {
      double sum = ModelRun.logSumExp(logits);
      return Arrays.stream(top)
          .mapToDouble(token -> Math.abs(logits[token.id()] - sum - token.logprob()))
          .max()
          .orElseThrow();
    }
  }

  /** A token and the logarithm of its probability. */
  public record Token(int id, double logprob) {}

  /** The fixture called {@code name}. */
  public static GoldenFixture read(String name) throws IOException {
    String resource = "golden/" + name + ".json";
    try (InputStream in =
        Objects.requireNonNull(GoldenFixture.class.getResourceAsStream(resource), resource)) {
      return new JsonMapper().readValue(in, GoldenFixture.class);
    }
  }
}
