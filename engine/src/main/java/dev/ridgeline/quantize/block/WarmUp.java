package dev.ridgeline.quantize.block;

import dev.ridgeline.tensor.DType;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Has the searches compiled before they are used. Until C2 has compiled a kernel, each of its
 * vectors is an object: 20 to 90 us an element were measured instead of 7 ns, and on a busy machine
 * that lasted for seconds after each change of type. The compiler counts calls, not work, so calls
 * with almost no elements get there soonest.
 */
final class WarmUp {
  /** Elements of a block in warm-up calls. */
  static final int ELEMENTS = 2;

  /** Far more than a compiled call with so few elements takes, far less than an interpreted one. */
  private static final long GOOD_NANOS = 20_000;

  private static final long MOST_NANOS = 3_000_000_000L;
  private static final int CALLS = 16;

  /**
   * Rounds after which the compiler has been asked, and needs the processor more than this does.
   */
  private static final int ROUNDS = 40;

  private static final long PAUSE_NANOS = 1_000_000;

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
    int rounds = 0;
    do {
      // 800 MB to Q4_0 on two cores: 2.6 s without the pauses, 2.1 s with them.
      if (++rounds > ROUNDS) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      best = Long.MAX_VALUE;
      for (int i = 0; i < CALLS; i++) {
        long start = System.nanoTime();
        search.run();
        best = Math.min(best, System.nanoTime() - start);
      }
    } while (best > GOOD_NANOS && System.nanoTime() < deadline);
  }
}
