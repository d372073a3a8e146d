package dev.ridgeline.cpu;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.cpu.vector.ProbeKernels;
import java.lang.foreign.Arena;

/**
 * What the threads of a pool can do at most: reading memory in sequence, several streams a thread,
 * and multiplying floats in registers. The best of a few runs of each, because everything that
 * disturbs a run makes it slower.
 */
final class MachineProbe {
  private static final int RUNS = 8;

  /** Far more than the caches hold, or than a slow machine can read in a tenth of a second. */
  private static final long BYTES_PER_THREAD = 256L << 20;

  private static final int ITERATIONS = 2_000_000;

  private MachineProbe() {}

  static MachineLimits measure(WorkerPool pool) {
    int threads = pool.threads();
    try (Arena arena = Arena.ofShared()) {
      var memory = arena.allocate(BYTES_PER_THREAD * threads, 64);
      memory.fill((byte) 1);
      double read = 0;
      double flops = 0;
      for (int run = 0; run < RUNS; run++) {
        long start = System.nanoTime();
        pool.run(i -> ProbeKernels.read(memory.address() + i * BYTES_PER_THREAD, BYTES_PER_THREAD));
        read = Math.max(read, 1e9 * threads * BYTES_PER_THREAD / (System.nanoTime() - start));
        start = System.nanoTime();
        pool.run(i -> ProbeKernels.multiplyAdd(ITERATIONS));
        double operations = (double) threads * ITERATIONS * ProbeKernels.OPERATIONS;
        flops = Math.max(flops, 1e9 * operations / (System.nanoTime() - start));
      }
      return new MachineLimits(read, flops);
    }
  }
}
