package dev.ridgeline.scheduler;

import java.util.Map;

/**
 * A message of a conversation, as chat templates know it; {@link
 * dev.ridgeline.tokenizer.template.Conversation} takes those with tools and parts.
 *
 * @param role {@code "system"}, {@code "user"}, {@code "assistant"}
 * @param content its text
 */
public record Message(String role, String content) {
  /** How the model shall behave. */
  public static Message system(String content) {
    return new Message("system", content);
  }

  /** What a person says. */
  public static Message user(String content) {
    return new Message("user", content);
  }

  /** What the model said. */
  public static Message assistant(String content) {
    return new Message("assistant", content);
  }

  Map<String, String> asMap() {
    return Map.of("role", role, "content", content);
  }
}
