package dev.ridgeline.server;

import org.jspecify.annotations.Nullable;

/** {@code stream_options} of OpenAI's API. */
final class StreamOptions {
  private StreamOptions() {}

  /** Whether the last event shall carry the usage. */
  static boolean includeUsage(Fields body) {
    @Nullable Fields options = body.fields("stream_options");
    return options != null && options.bool("include_usage", false);
  }
}
