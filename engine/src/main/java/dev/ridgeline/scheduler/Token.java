package dev.ridgeline.scheduler;

import dev.ridgeline.sampler.Logprobs;
import org.jspecify.annotations.Nullable;

/**
 * One generated token.
 *
 * @param id the token; {@link #NONE} where a request that was interrupted still had text to give
 * @param text what the text grows by: empty while a character is incomplete, while a stop string
 *     may be beginning, and for the token that ends a text; more than the token's own after that
 * @param logprobs if they were asked for
 */
public record Token(int id, String text, @Nullable Logprobs logprobs) {
  /** No token. */
  public static final int NONE = -1;
}
