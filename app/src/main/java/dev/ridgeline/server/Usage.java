package dev.ridgeline.server;

import dev.ridgeline.scheduler.RequestStats;
import java.util.List;

/**
 * Tokens of a request, as OpenAI counts them.
 *
 * @param promptTokens of each prompt once, however many answers it got
 * @param completionTokens of all answers
 * @param totalTokens both
 * @param promptTokensDetails how many came out of the prefix cache
 */
record Usage(
    int promptTokens, int completionTokens, int totalTokens, PromptDetails promptTokensDetails) {
  /**
   * @param cachedTokens prompt tokens that were not computed
   */
  record PromptDetails(int cachedTokens) {}

  /** Of answers that stand in the order of their prompts, {@code n} for each. */
  static Usage of(List<RequestStats> answers, int n) {
    int prompt = 0;
    int cached = 0;
    int completion = 0;
    for (int i = 0; i < answers.size(); i++) {
      RequestStats stats = answers.get(i);
      prompt += i % n == 0 ? stats.promptTokens() : 0;
      cached += i % n == 0 ? stats.cachedTokens() : 0;
      completion += stats.generatedTokens();
    }
    return new Usage(prompt, completion, prompt + completion, new PromptDetails(cached));
  }
}
