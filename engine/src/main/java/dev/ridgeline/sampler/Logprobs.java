package dev.ridgeline.sampler;

/**
 * Natural logarithms of probabilities at one position, from the raw logits: before any mask, bias,
 * penalty, truncation or temperature.
 *
 * @param chosen of the token that was sampled
 * @param topIds the most probable tokens, falling; among equals the lower id first
 * @param top their log-probabilities
 */
@SuppressWarnings("ArrayRecordComponent") // handed over to one reader, never compared
public record Logprobs(float chosen, int[] topIds, float[] top) {}
