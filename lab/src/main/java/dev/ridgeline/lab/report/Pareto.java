package dev.ridgeline.lab.report;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** Which of several things no other beats in two respects at once. */
public final class Pareto {
  private Pareto() {}

  /**
   * Those of {@code all} for which no other is at least as good in both respects and better in one.
   *
   * @param higher larger is better
   * @param lower smaller is better
   */
  public static <T> List<T> front(
      List<T> all, ToDoubleFunction<T> higher, ToDoubleFunction<T> lower) {
    return all.stream()
        .filter(a -> all.stream().noneMatch(b -> beats(b, a, higher, lower)))
        .toList();
  }

  private static <T> boolean beats(
      T b, T a, ToDoubleFunction<T> higher, ToDoubleFunction<T> lower) {
    double up = higher.applyAsDouble(b) - higher.applyAsDouble(a);
    double down = lower.applyAsDouble(a) - lower.applyAsDouble(b);
    return up >= 0 && down >= 0 && (up > 0 || down > 0);
  }
}
