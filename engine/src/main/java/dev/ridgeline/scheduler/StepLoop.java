package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.sampler.SamplerScratch;
import dev.ridgeline.scheduler.EngineStatus.Blocks;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that computes: takes requests, puts steps together, runs them, chooses tokens and
 * hands them over; parks when there is nothing to do. Nobody else touches the executable, the KV
 * books or a sequence that was submitted.
 */
final class StepLoop implements AutoCloseable {
  private final Executable executable;
  private final Tokenizer tokenizer;
  private final KvCache kv;
  private final Scheduler scheduler;
  private final PrefillPace pace;
  private final Settings settings;
  private final Step step;
  private final SamplerScratch scratch;
  private final float[] logits;
  private final Thread thread;

  /** Guards itself and {@link #closed}. */
  private final List<Sequence> submitted = new ArrayList<>();

  /** Guarded by {@link #submitted}. */
  private final List<Runnable> work = new ArrayList<>();

  private boolean closed;
  private volatile boolean closing;
  private volatile EngineStatus status = new EngineStatus(0, 0, 0, 0, Blocks.NONE, 0);

  /** When the step under way began, with all that goes with it: tokens, listeners; 0 = idle. */
  private volatile long stepStartNanos;

  /** Why no step will ever run again. */
  private volatile @Nullable DeviceFailedException failure;

  /**
   * How a loop runs.
   *
   * @param maxGapNanos how long a step may take for the sake of prompts while others wait for their
   *     next token
   * @param listeners who hears of steps and requests
   */
  record Settings(long maxGapNanos, List<EngineListener> listeners) {
    Settings {
      listeners = List.copyOf(listeners);
    }
  }

  /** Starts the thread. */
  StepLoop(Executable executable, Tokenizer tokenizer, KvCache kv, Settings settings) {
    this.executable = executable;
    this.tokenizer = tokenizer;
    this.kv = kv;
    this.settings = settings;
    Capacity capacity = executable.capacity();
    scheduler = new Scheduler(kv, capacity.maxTokens(), capacity.maxSequences());
    pace = new PrefillPace(settings.maxGapNanos);
    step = new Step(capacity);
    scratch = new SamplerScratch(executable.vocabularySize());
    logits = new float[executable.vocabularySize()];
    thread = Thread.ofPlatform().name("ridgeline-step").daemon().unstarted(this::loop);
    thread.start();
  }

  /** Adds a request; from any thread. */
  void submit(Sequence sequence) {
    synchronized (submitted) {
      requireOpen();
      submitted.add(sequence);
    }
    wake();
  }

  /** Runs {@code task} on the step thread, between steps. */
  void betweenSteps(Runnable task) {
    synchronized (submitted) {
      requireOpen();
      work.add(task);
    }
    wake();
  }

  private void requireOpen() {
    DeviceFailedException failed = failure;
    if (failed != null) {
      throw new GenerationException(String.valueOf(failed.getMessage()), failed);
    }
    if (closed) {
      throw new IllegalStateException("the engine is closed");
    }
  }

  /** Why no step will ever run again; null while all is well. */
  @Nullable DeviceFailedException failure() {
    return failure;
  }

  /** One task at a time, so that sequences get their steps in between. */
  private void runWork() {
    Runnable task;
    synchronized (submitted) {
      task = work.isEmpty() ? null : work.removeFirst();
    }
    if (task != null) {
      task.run();
    }
  }

  /** Makes a parked thread look around. */
  void wake() {
    LockSupport.unpark(thread);
  }

  EngineStatus status() {
    EngineStatus last = status;
    long start = stepStartNanos;
    long stepNanos = start == 0 ? 0 : Math.max(1, System.nanoTime() - start);
    return new EngineStatus(
        last.waiting(),
        last.waitingTokens(),
        last.running(),
        last.kvUsage(),
        last.blocks(),
        stepNanos);
  }

  /** Ends all requests after the step under way and stops the thread. */
  @Override
  public void close() {
    closing = true;
    wake();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true; // the executable must not be closed under a step
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop() {
    try {
      while (!closing && failure == null) {
        stepStartNanos = System.nanoTime();
        takeSubmitted();
        runWork();
        endInterrupted(scheduler.waiting());
        endInterrupted(scheduler.running());
        List<Sequence> batch = scheduler.schedule(pace.tokens());
        publishStatus();
        if (!batch.isEmpty()) {
          run(batch);
        } else if (scheduler.waiting().isEmpty()) {
          parkUnlessSubmitted();
        } else {
          throw new IllegalStateException("a request waits, but KV blocks for it never come free");
        }
      }
    } finally {
      stepStartNanos = 0;
      abandon();
    }
  }

  private void takeSubmitted() {
    synchronized (submitted) {
      submitted.forEach(scheduler::add);
      submitted.clear();
    }
  }

  private void parkUnlessSubmitted() {
    boolean idle;
    synchronized (submitted) {
      idle = submitted.isEmpty() && work.isEmpty();
    }
    if (idle && !closing) {
      stepStartNanos = 0;
      LockSupport.park(this); // an unpark since the look above makes it return at once
    }
  }

  private void endInterrupted(List<Sequence> sequences) {
    long now = System.nanoTime();
    for (int i = sequences.size() - 1; i >= 0; i--) {
      Sequence s = sequences.get(i);
      if (s.stream.isCancelled() || s.isExpired(now)) {
        String text = restOfText(s);
        if (!text.isEmpty()) {
          s.stream.add(new Token(Token.NONE, text, null));
        }
        finish(s, s.stream.isCancelled() ? FinishReason.CANCELLED : FinishReason.DEADLINE, null);
      }
    }
  }

  private void run(List<Sequence> batch) {
    fill(batch);
    long start = System.nanoTime();
    try {
      executable.run(step);
    } catch (DeviceFailedException e) {
      failure = e; // abandon() tells whoever waits
      return;
    } catch (RuntimeException e) {
      batch.forEach(s -> fail(s, "a step failed", e));
      return;
    }
    long ran = System.nanoTime();
    pace.observe(ran - start, step.tokenCount());
    int outputs = 0;
    for (Sequence s : batch) {
      s.ranIn(batch.size());
      scheduler.computed(s);
      if (s.pending() == 0) {
        next(s, outputs++);
      }
    }
    long runNanos = ran - start;
    long sampleNanos = System.nanoTime() - ran;
    StepStats stats =
        new StepStats(
            runNanos, sampleNanos, step.tokenCount(), batch.size(), outputs, scheduler.preempted());
    settings.listeners.forEach(l -> l.onStep(stats));
  }

  private void fill(List<Sequence> batch) {
    step.clear();
    for (Sequence s : batch) {
      step.beginSequence(s.table.ofGroups());
      int end = s.table.tokens() + s.scheduled;
      for (int position = s.table.tokens(); position < end; position++) {
        step.addToken(s.tokens()[position], position, position == s.count() - 1);
      }
    }
  }

  /** Chooses the next token of {@code s} from output {@code output} and hands it over. */
  private void next(Sequence s, int output) {
    int token;
    String piece;
    boolean ends;
    try {
      executable.logits(output, logits);
      // The output matrix may have more rows than the vocabulary has tokens.
      Arrays.fill(logits, tokenizer.size(), logits.length, Float.NEGATIVE_INFINITY);
      token = s.sampler.sample(logits, s.tokens(), s.count(), scratch);
      ends = tokenizer.isEnd(token) || s.params.stopTokens().contains(token);
      piece = ends ? "" : s.stops.accept(s.decoder.accept(token));
    } catch (RuntimeException e) {
      fail(s, "choosing a token failed", e);
      return;
    }
    s.append(token);
    s.client.served++;
    s.lastTokenNanos = System.nanoTime();
    if (s.firstTokenNanos == 0) {
      s.firstTokenNanos = s.lastTokenNanos;
    }
    boolean stopped = ends || s.stops.match() != null;
    boolean over = stopped || s.isFull();
    String text = over ? piece + restOfText(s) : piece;
    s.stream.add(new Token(token, text, s.sampler.logprobs()));
    if (over) {
      finish(s, stopped ? FinishReason.STOP : FinishReason.LENGTH, null);
    }
  }

  private static String restOfText(Sequence s) {
    return s.stops.match() != null ? "" : s.stops.accept(s.decoder.finish()) + s.stops.finish();
  }

  private void fail(Sequence s, String what, RuntimeException cause) {
    finish(s, FinishReason.ERROR, new GenerationException(what + ": " + cause.getMessage(), cause));
  }

  /** Frees what {@code s} holds, then tells the listeners, and its reader last. */
  private void finish(Sequence s, FinishReason reason, @Nullable GenerationException failure) {
    scheduler.remove(s);
    publishStatus();
    RequestStats stats = s.stats(reason, System.nanoTime());
    settings.listeners.forEach(l -> l.onFinish(stats));
    s.stream.finish(stats, failure);
  }

  private void abandon() {
    synchronized (submitted) {
      closed = true;
    }
    takeSubmitted();
    work.forEach(Runnable::run); // their callers wait
    var all = new ArrayList<>(scheduler.waiting());
    all.addAll(scheduler.running());
    DeviceFailedException failed = failure;
    boolean ended = closing && failed == null;
    var error =
        ended
            ? null
            : new GenerationException(
                failed == null
                    ? "the engine's step thread has stopped"
                    : String.valueOf(failed.getMessage()),
                failed);
    all.forEach(s -> finish(s, ended ? FinishReason.CANCELLED : FinishReason.ERROR, error));
  }

  private void publishStatus() {
    long waitingTokens = 0;
    for (Sequence s : scheduler.waiting()) {
      waitingTokens += s.pending();
    }
    double usage = 0;
    int total = 0;
    int inUse = 0;
    int cached = 0;
    for (int group = 0; group < executable.capacity().kvBlocks().size(); group++) {
      usage = Math.max(usage, (double) kv.inUse(group) / kv.blocks(group));
      total += kv.blocks(group);
      inUse += kv.inUse(group);
      cached += kv.cached(group);
    }
    var blocks = new Blocks(total, inUse, cached, kv.evictions());
    status =
        new EngineStatus(
            scheduler.waiting().size(),
            waitingTokens,
            scheduler.running().size(),
            usage,
            blocks,
            0);
  }
}
