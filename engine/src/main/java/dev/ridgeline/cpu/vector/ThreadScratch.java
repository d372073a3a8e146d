package dev.ridgeline.cpu.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A little memory for each thread, for work whose caller has none to give; freed with the thread.
 */
final class ThreadScratch {
  private static final ThreadLocal<MemorySegment> SEGMENT =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(WeightRow.SCRATCH_BYTES, 64));

  private ThreadScratch() {}

  /** Address of {@link WeightRow#SCRATCH_BYTES} bytes of the calling thread. */
  static long address() {
    return SEGMENT.get().address();
  }
}
