package dev.ridgeline.scheduler;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Ends a text at the first of some stop strings, and holds back what may be the beginning of one.
 */
final class StopMatcher {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private @Nullable String match;

  StopMatcher(List<String> stops) {
    this.stops = stops;
  }

  /** The stop string that has come, if any; nothing more is given out then. */
  @Nullable String match() {
    return match;
  }

  /** The text that can be given out now that {@code text} has come. */
  String accept(String text) {
    if (stops.isEmpty()) {
      return text;
    }
    held.append(text);
    int end = held.length();
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && at < end) {
        end = at;
        match = stop;
      }
    }
    return take(match == null ? end - longestBeginning() : end);
  }

  /** What was held back, as the text ends here. */
  String finish() {
    return take(held.length());
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, match == null ? length : held.length());
    return text;
  }

  /** Length of the longest end of the held text that begins a stop string. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (held.indexOf(stop.substring(0, n), held.length() - n) >= 0) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
