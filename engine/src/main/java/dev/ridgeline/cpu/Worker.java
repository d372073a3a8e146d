package dev.ridgeline.cpu;

import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.RowKernel;
import dev.ridgeline.cpu.vector.AttentionCall;

/** What one thread of an executable owns: its number, its scratch, its kernels' arguments. */
final class Worker {
  /** How much of all is dealt out beforehand. */
  private static final int OWN_PERCENT = 85;

  /** For each thread, pieces that are not. */
  private static final int SHARED_PIECES = 3;

  /** Work on rows and elements. */
  final RowKernel rows;

  final int index;
  final int count;
  final long scratch;
  final ProductCall product = new ProductCall();
  final PackCall pack = new PackCall();
  final AttentionCall attention = new AttentionCall();
  private final WorkerPool pool;

  Worker(WorkerPool pool, int index, RowKernel rows, long scratch) {
    this.pool = pool;
    this.index = index;
    this.rows = rows;
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

  // Products take longer on one thread than on another when memory serves them unevenly. So each
  // thread has one large piece of its own, and what is left is cut into small ones for whoever
  // comes
  // first: the waiting after a product falls from 6 to 2 % of a token's time (2 threads, Zen 5).

  /** The piece that this worker begins with. */
  int firstPiece() {
    return index;
  }

  /** Another piece; at least {@link #pieces} if none is left. */
  int nextPiece() {
    return count + pool.claim();
  }

  int pieces() {
    return count * (1 + SHARED_PIECES);
  }

  /** Where piece {@code p} of {@code n} things begins, or the one before it ends. */
  long pieceAt(long n, int p) {
    long own = n * OWN_PERCENT / 100;
    return p <= count
        ? own * p / count
        : own + (n - own) * (p - count) / ((long) count * SHARED_PIECES);
  }

  /** See {@link WorkerPool#claim}. */
  int claim() {
    return pool.claim();
  }
}
