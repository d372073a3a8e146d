package dev.ridgeline.cpu;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that run one job together and meet at barriers; the caller of {@link #run} is number 0,
 * the others wait between jobs. Waiting is a short spin (a barrier costs a fraction of a
 * microsecond when all cores are ours), then a longer one that lets others run, then a park, so
 * that a crowded machine loses little.
 */
final class WorkerPool implements AutoCloseable {
  /** What all threads of the pool run at once, each with its own number. */
  interface Job {
    /** The part of thread {@code index}. */
    void run(int index);
  }

  /** About 50 microseconds on current x86, where a pause takes 140 cycles. */
  private static final int SPINS = 1000;

  /**
   * A parked thread takes 50 to 500 microseconds to come back on a virtual machine: more than the
   * waits after products and between two steps, which this covers (llama-1b F16 on 2 threads: 3 %
   * of a token's time).
   */
  private static final long YIELDING_NANOS = 1_000_000;

  private final int threads;
  private final int spins;
  private final Barrier gate;
  private final Barrier inner;
  private final @Nullable Thread[] parties;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private @Nullable Job job;
  private volatile boolean closed;

  WorkerPool(int threads) {
    this.threads = threads;
    spins = threads <= Runtime.getRuntime().availableProcessors() ? SPINS : 0;
    gate = new Barrier(false);
    inner = new Barrier(true);
    parties = new Thread[threads];
    for (int i = 1; i < threads; i++) {
      int index = i;
      parties[i] = Thread.ofPlatform().daemon().name("ridgeline-cpu-" + i).start(() -> work(index));
    }
  }

  int threads() {
    return threads;
  }

  /**
   * Runs {@code job} on all threads and returns when all are done; what one of them throws comes
   * out here.
   */
  synchronized void run(Job job) {
    if (closed) {
      throw new IllegalStateException("the CPU backend is closed");
    }
    parties[0] = Thread.currentThread();
    this.job = job;
    gate.await(0);
    perform(job, 0);
    gate.await(0);
    Throwable thrown = failure.getAndSet(null);
    inner.reset();
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }

  /** Waits until every thread of the job has come here. */
  void barrier(int index) {
    inner.await(index);
  }

  /** 0, 1, 2, ... to whoever asks first, from 0 again after each barrier. */
  int claim() {
    return inner.claim();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      parties[0] = Thread.currentThread();
      closed = true;
      gate.await(0);
    }
  }

  private void work(int index) {
    while (true) {
      gate.await(index);
      Job current = job;
      if (closed || current == null) {
        return;
      }
      perform(current, index);
      gate.await(index);
    }
  }

  private void perform(Job current, int index) {
    try {
      current.run(index);
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
      inner.wakeAll(index);
    }
  }

  /** Thrown out of a barrier when another thread of the job has failed. */
  private static final class AbandonedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    AbandonedException() {
      super("another thread of this job failed", null, false, false);
    }
  }

  /** A barrier for all threads of the pool; its counters lie on cache lines of their own. */
  private final class Barrier {
    private static final int ARRIVED = 16;
    private static final int GENERATION = 32;
    private static final int CLAIMED = 48;
    private static final int FIRST_PARKED = 64;

    private final AtomicIntegerArray state = new AtomicIntegerArray(FIRST_PARKED + 16 * threads);
    private final boolean abandonable;

    Barrier(boolean abandonable) {
      this.abandonable = abandonable;
    }

    int claim() {
      return state.getAndIncrement(CLAIMED);
    }

    void reset() {
      state.set(ARRIVED, 0);
      state.set(CLAIMED, 0);
    }

    void await(int index) {
      int generation = state.get(GENERATION);
      if (state.incrementAndGet(ARRIVED) == threads) {
        reset();
        state.set(GENERATION, generation + 1);
        wakeAll(index);
        return;
      }
      for (int i = 0; i < spins; i++) {
        if (state.get(GENERATION) != generation) {
          return;
        }
        Thread.onSpinWait();
      }
      if (spins > 0 && changesSoon(generation)) {
        return;
      }
      park(index, generation);
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding is the point: others come first
    private boolean changesSoon(int generation) {
      long end = System.nanoTime() + YIELDING_NANOS;
      while (System.nanoTime() - end < 0) {
        if (state.get(GENERATION) != generation) {
          return true;
        }
        Thread.yield();
      }
      return false;
    }

    private void park(int index, int generation) {
      int parked = FIRST_PARKED + 16 * index;
      state.set(parked, 1);
      while (state.get(GENERATION) == generation) {
        if (abandonable && failure.get() != null) {
          state.set(parked, 0);
          throw new AbandonedException();
        }
        LockSupport.park(this);
      }
      state.set(parked, 0);
    }

    void wakeAll(int except) {
      for (int i = 0; i < threads; i++) {
        if (i != except && state.get(FIRST_PARKED + 16 * i) == 1) {
          LockSupport.unpark(parties[i]);
        }
      }
    }
  }
}
