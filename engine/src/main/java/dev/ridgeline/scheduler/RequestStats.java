package dev.ridgeline.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * What became of a request.
 *
 * @param finishReason why it ended
 * @param stopString the stop string that ended it, if one did
 * @param seed of its draws: the same request with this seed gives the same text
 * @param promptTokens tokens of the prompt
 * @param cachedTokens of these, how many the prefix cache held
 * @param generatedTokens tokens after the prompt, the one that ended the text included
 * @param preemptions how often it had to give up its KV blocks and was computed again
 * @param meanBatch sequences in the steps that it took part in, itself included, on average; 0 if
 *     it took part in none
 * @param timings where the time went
 */
public record RequestStats(
    FinishReason finishReason,
    @Nullable String stopString,
    long seed,
    int promptTokens,
    int cachedTokens,
    int generatedTokens,
    int preemptions,
    double meanBatch,
    Timings timings) {

  /**
   * Where the time of a request went, in nanoseconds; phases that it did not reach are 0.
   *
   * @param queuedNanos from the submission to the first step
   * @param prefillNanos from there to the first token
   * @param decodeNanos from there to the last token
   */
  public record Timings(long queuedNanos, long prefillNanos, long decodeNanos) {
    /** From the submission to the first token. */
    public long firstTokenNanos() {
      return queuedNanos + prefillNanos;
    }

    /** From the submission to the last token. */
    public long totalNanos() {
      return queuedNanos + prefillNanos + decodeNanos;
    }
  }

  /** Speed at which the uncached part of the prompt was computed; 0 if there was nothing. */
  public double promptTokensPerSecond() {
    return perSecond(promptTokens - cachedTokens, timings.prefillNanos());
  }

  /** Speed of the tokens after the first one; 0 if there were none. */
  public double decodeTokensPerSecond() {
    return perSecond(generatedTokens - 1, timings.decodeNanos());
  }

  private static double perSecond(int tokens, long nanos) {
    return tokens <= 0 || nanos <= 0 ? 0 : tokens * 1e9 / nanos;
  }
}
