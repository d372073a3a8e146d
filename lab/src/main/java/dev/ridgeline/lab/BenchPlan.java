package dev.ridgeline.lab;

import java.util.Collections;
import java.util.List;

/**
 * What to measure of each setup.
 *
 * @param promptTokens a row for each; 0 entries are left out
 * @param generateTokens a row for each; 0 entries are left out
 * @param depths each row is measured with this many tokens already in the KV cache
 * @param repeats measured runs of a row; a row for each
 * @param warmupSeconds time limit of a row's warm-up; it ends early once runs are steady
 */
public record BenchPlan(
    List<Integer> promptTokens,
    List<Integer> generateTokens,
    List<Integer> depths,
    List<Integer> repeats,
    double warmupSeconds) {
  /** Rejects plans without anything to measure. */
  public BenchPlan {
    promptTokens = promptTokens.stream().filter(n -> n != 0).toList();
    generateTokens = generateTokens.stream().filter(n -> n != 0).toList();
    depths = List.copyOf(depths);
    repeats = List.copyOf(repeats);
    if (promptTokens.isEmpty() && generateTokens.isEmpty()) {
      throw new IllegalArgumentException("nothing to measure: no prompt and no generation length");
    }
    require("prompt lengths", promptTokens, 1);
    require("generation lengths", generateTokens, 1);
    require("depths", depths, 0);
    require("repeats", repeats, 1);
  }

  private static void require(String what, List<Integer> values, int least) {
    if (values.stream().anyMatch(v -> v < least)) {
      throw new IllegalArgumentException(
          "%s: expected %d or more, found %s".formatted(what, least, values));
    }
  }

  /** Positions that the longest row reaches. */
  int longest() {
    return max(depths) + Math.max(max(promptTokens), max(generateTokens));
  }

  private static int max(List<Integer> values) {
    return values.isEmpty() ? 0 : Collections.max(values);
  }
}
