package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.List;

/** Whole numbers from one to another, as decimal digits without leading zeros. */
final class IntegerRange {
  private IntegerRange() {}

  /** Alternatives that together match {@code low} to {@code high}; none if that is empty. */
  static List<String> gbnf(long low, long high) {
    var all = new ArrayList<String>();
    if (low < 0) {
      for (String positive : gbnf(Math.max(1, -high), -low)) {
        all.add("\"-\" " + positive);
      }
    }
    for (long from = Math.max(0, low); from <= high; ) {
      // up to the last number with as many digits
      long to = Math.min(high, nines(String.valueOf(from).length()));
      sameLength(String.valueOf(from), String.valueOf(to), "", all);
      from = to + 1;
    }
    return all;
  }

  private static long nines(int digits) {
    return digits >= 19 ? Long.MAX_VALUE : (long) Math.pow(10, digits) - 1;
  }

  private static void sameLength(String low, String high, String prefix, List<String> into) {
    if (low.isEmpty()) {
      into.add(prefix.strip());
      return;
    }
    boolean all = low.chars().allMatch(c -> c == '0') && high.chars().allMatch(c -> c == '9');
    if (all) {
      into.add((prefix + "[0-9]{" + low.length() + "}").strip());
      return;
    }
    char first = low.charAt(0);
    char last = high.charAt(0);
    String lowRest = low.substring(1);
    String highRest = high.substring(1);
    if (first == last) {
      sameLength(lowRest, highRest, prefix + "\"" + first + "\" ", into);
      return;
    }
    boolean lowWhole = lowRest.chars().allMatch(c -> c == '0');
    boolean highWhole = highRest.chars().allMatch(c -> c == '9');
    if (!lowWhole) {
      sameLength(lowRest, "9".repeat(lowRest.length()), prefix + "\"" + first + "\" ", into);
      first++;
    }
    if (!highWhole) {
      sameLength("0".repeat(highRest.length()), highRest, prefix + "\"" + last + "\" ", into);
      last--;
    }
    if (first <= last) {
      String rest = lowRest.isEmpty() ? "" : "[0-9]{" + lowRest.length() + "}";
      into.add((prefix + "[" + first + "-" + last + "] " + rest).strip());
    }
  }
}
