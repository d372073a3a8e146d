package dev.ridgeline.cpu;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.cpu.machine.MachineKernels;
import dev.ridgeline.cpu.vector.ProbeKernels;
import java.lang.foreign.Arena;

/**
 * What the threads of a pool can do at most: reading memory in sequence, several streams a thread,
 * and multiplying floats or bytes in registers. The best of a few runs of each, because everything
 * that disturbs a run makes it slower.
 */
final class MachineProbe {
  private static final int RUNS = 8;

  /** Far more than the caches hold, or than a slow machine can read in a tenth of a second. */
  private static final long BYTES_PER_THREAD = 256L << 20;

  private static final int ITERATIONS = 2_000_000;
  private static final int CALL_ITERATIONS = 25_000;

  private MachineProbe() {}

  /**
   * @param machine where it has kernels, quantized weights are multiplied as bytes
   */
  static MachineLimits measure(WorkerPool pool, MachineKernels machine) {
    int threads = pool.threads();
    try (Arena arena = Arena.ofShared()) {
      var memory = arena.allocate(BYTES_PER_THREAD * threads, 64);
      memory.fill((byte) 1);
      double read = 0;
      double flops = 0;
      double bytes = 0;
      for (int run = 0; run < RUNS; run++) {
        long start = System.nanoTime();
        pool.run(i -> ProbeKernels.read(memory.address() + i * BYTES_PER_THREAD, BYTES_PER_THREAD));
        read = Math.max(read, 1e9 * threads * BYTES_PER_THREAD / (System.nanoTime() - start));
        start = System.nanoTime();
        pool.run(i -> ProbeKernels.multiplyAdd(ITERATIONS));
        double operations = (double) threads * ITERATIONS * ProbeKernels.OPERATIONS;
        flops = Math.max(flops, 1e9 * operations / (System.nanoTime() - start));
        if (!machine.kernels().isEmpty()) {
          start = System.nanoTime();
          pool.run(i -> repeat(machine));
          operations = (double) threads * ITERATIONS / 4 * MachineKernels.PROBE_OPERATIONS;
          bytes = Math.max(bytes, 1e9 * operations / (System.nanoTime() - start));
        }
      }
      return new MachineLimits(read, flops, machine.kernels().isEmpty() ? flops : bytes);
    }
  }

  /** In calls of a tenth of a millisecond: machine code holds the garbage collector back. */
  private static void repeat(MachineKernels machine) {
    for (int i = 0; i < ITERATIONS / 4; i += CALL_ITERATIONS) {
      machine.multiplyAdd(CALL_ITERATIONS);
    }
  }
}
