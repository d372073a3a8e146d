package dev.ridgeline.quantize.block;

import dev.ridgeline.tensor.DType;
import java.util.EnumSet;
import java.util.Set;

/**
 * Has the searches compiled before they are used. Until C2 has compiled a kernel, each of its
 * vectors is an object and an element takes 40 us instead of 5 ns; since the compiler counts calls,
 * not work, calls with almost no elements get there in a tenth of the time (for Q6_K 0.9 s to 0.4
 * s).
 */
final class WarmUp {
  /** Elements of a block in warm-up calls. */
  static final int ELEMENTS = 2;

  /** Compiled, a call with so few elements takes 5 us; interpreted, 5,000. */
  private static final long GOOD_NANOS = 20_000;

  private static final long MOST_NANOS = 3_000_000_000L;
  private static final int CALLS = 16;

  private static final Set<DType> DONE = EnumSet.noneOf(DType.class);

  private WarmUp() {}

  /**
   * Calls {@code search} until it is fast, once for each type in the life of the process; others
   * who want the type wait. A machine too busy to compile anything ends it after some seconds.
   */
  static synchronized void once(DType type, Runnable search) {
    if (!DONE.add(type)) {
      return;
    }
    long deadline = System.nanoTime() + MOST_NANOS;
    long best;
    do {
      best = Long.MAX_VALUE;
      for (int i = 0; i < CALLS; i++) {
        long start = System.nanoTime();
        search.run();
        best = Math.min(best, System.nanoTime() - start);
      }
    } while (best > GOOD_NANOS && System.nanoTime() < deadline);
  }
}
