package dev.ridgeline.sampler;

/**
 * How the token after an output is drawn, so far that a device can do it by itself and start the
 * next step: of the {@code topK} largest logits the most probable until their sum reaches {@code
 * topP}, of these the ones at least {@code minP} times as probable as the first, each with weight
 * {@code exp(logit / temperature)}. What a device draws is a guess, by its own arithmetic: who
 * chooses tokens draws again and drops a step that was started with another one.
 *
 * @param temperature above 0
 * @param topK 1 or more
 * @param topP 0 to 1
 * @param minP 0 to 1
 */
public record Draw(float temperature, int topK, float topP, float minP) {
  /** Checks the ranges. */
  public Draw {
    if (!(temperature > 0 && topK > 0 && topP >= 0 && topP <= 1 && minP >= 0 && minP <= 1)) {
      throw new IllegalArgumentException(
          "a draw with temperature %s, topK %d, topP %s, minP %s"
              .formatted(temperature, topK, topP, minP));
    }
  }
}
