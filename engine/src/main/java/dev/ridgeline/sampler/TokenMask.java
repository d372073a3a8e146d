package dev.ridgeline.sampler;

/**
 * A constraint on the text (a grammar, a JSON schema) as a state machine over tokens, one for each
 * request. Both methods run on the step thread and must not block.
 */
public interface TokenMask {
  /**
   * Sets the logit of every token that may not come next to negative infinity. At least one token
   * must stay possible; end-of-text tokens are tokens like all others.
   */
  void mask(float[] logits);

  /** Moves on: {@code token} was chosen. */
  void accept(int token);
}
