package dev.ridgeline.cpu;

import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.vector.AttentionCall;

/** What one thread of an executable owns: its number, its scratch, its kernels' arguments. */
final class Worker {
  final int index;
  final int count;
  final long scratch;
  final ProductCall product = new ProductCall();
  final PackCall pack = new PackCall();
  final AttentionCall attention = new AttentionCall();
  private final WorkerPool pool;

  Worker(WorkerPool pool, int index, long scratch) {
    this.pool = pool;
    this.index = index;
    this.count = pool.threads();
    this.scratch = scratch;
  }

  /** Start of this worker's contiguous share of {@code n} things, a multiple of {@code unit}. */
  int from(int n, int unit) {
    return bound(n, unit, index);
  }

  /** End of this worker's share: the start of the next one's, or n. */
  int to(int n, int unit) {
    return bound(n, unit, index + 1);
  }

  private int bound(int n, int unit, int i) {
    long units = (n + unit - 1L) / unit;
    return (int) Math.min(n, units * i / count * unit);
  }

  /** See {@link WorkerPool#claim}. */
  int claim() {
    return pool.claim();
  }
}
