package dev.ridgeline.scheduler;

import java.util.List;

/**
 * Ends a text at the first of some stop strings, and holds back what may be the beginning of one.
 */
final class StopMatcher {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean matched;

  StopMatcher(List<String> stops) {
    this.stops = stops;
  }

  /** Whether a stop string has come; nothing more is given out then. */
  boolean matched() {
    return matched;
  }

  /** The text that can be given out now that {@code text} has come. */
  String accept(String text) {
    if (stops.isEmpty()) {
      return text;
    }
    held.append(text);
    int end = firstStop();
    matched = end >= 0;
    return take(matched ? end : held.length() - longestBeginning());
  }

  /** What was held back, as the text ends here. */
  String finish() {
    return take(held.length());
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, matched ? held.length() : length);
    return text;
  }

  private int firstStop() {
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      first = at >= 0 && (first < 0 || at < first) ? at : first;
    }
    return first;
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
