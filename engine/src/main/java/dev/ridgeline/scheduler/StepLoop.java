package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.sampler.SamplerScratch;
import dev.ridgeline.scheduler.EngineStatus.Blocks;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.ArrayDeque;
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
  /**
   * The step after the one under way is started so long before that one is over: soon enough for
   * the device never to wait, and late enough for who comes meanwhile to be in it.
   */
  private static final long AHEAD_NANOS = 500_000;

  /** What a step may be taken to last after the first one that was timed. */
  private static final long FIRST_NANOS = 4_000_000;

  private final Executable executable;
  private final Tokenizer tokenizer;
  private final KvCache kv;
  private final Scheduler scheduler;
  private final PrefillPace pace;
  private final Settings settings;
  private final SamplerScratch scratch;
  private final float[] logits;
  private final int[] topIds = new int[Executable.TOP_ROOM];
  private final float[] topLogits = new float[Executable.TOP_ROOM];
  private final Thread thread;

  /** Guards itself and {@link #closed}. */
  private final List<Sequence> submitted = new ArrayList<>();

  /** Guarded by {@link #submitted}. */
  private final List<Runnable> work = new ArrayList<>();

  private boolean closed;

  /** What readers are to be told, in this order. */
  private final ArrayDeque<News> news = new ArrayDeque<>();

  /** The step under way, or about to be. */
  private Batch now;

  /** The one after it, if it was started already. */
  private Batch next;

  private long lastRanNanos;

  /** By tokens: how long the last step of so many, one a sequence, took; 0: not known. */
  private final long[] usualNanos;

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

  /** A token of a request, or its end. */
  private record News(
      TokenStream to,
      @Nullable Token token,
      @Nullable RequestStats end,
      @Nullable GenerationException failure) {}

  /** Starts the thread. */
  StepLoop(Executable executable, Tokenizer tokenizer, KvCache kv, Settings settings) {
    this.executable = executable;
    this.tokenizer = tokenizer;
    this.kv = kv;
    this.settings = settings;
    Capacity capacity = executable.capacity();
    scheduler =
        new Scheduler(kv, capacity.maxTokens(), capacity.maxSequences(), executable.fewTokens());
    pace = new PrefillPace(settings.maxGapNanos);
    usualNanos = new long[1 + capacity.maxTokens()];
    now = new Batch(executable);
    next = new Batch(executable);
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
      tellReaders();
      task.run();
      lastRanNanos = 0;
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
        if (now.isEmpty()) {
          runWork();
        }
        endInterrupted(scheduler.waiting());
        endInterrupted(scheduler.running());
        if (now.isEmpty()) {
          schedule();
        }
        publishStatus();
        if (!now.isEmpty()) {
          run();
        } else if (scheduler.waiting().isEmpty()) {
          tellReaders();
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
    if (!isSubmittedTo() && !closing) {
      stepStartNanos = 0;
      lastRanNanos = 0;
      LockSupport.park(this); // an unpark since the look above makes it return at once
    }
  }

  private boolean isSubmittedTo() {
    synchronized (submitted) {
      return !submitted.isEmpty() || !work.isEmpty();
    }
  }

  private void endInterrupted(List<Sequence> sequences) {
    long now = System.nanoTime();
    for (int i = sequences.size() - 1; i >= 0; i--) {
      Sequence s = sequences.get(i);
      if (s.stream.isCancelled() || s.isExpired(now)) {
        String text = restOfText(s);
        if (!text.isEmpty()) {
          news.add(new News(s.stream, new Token(Token.NONE, text, null), null, null));
        }
        finish(s, s.stream.isCancelled() ? FinishReason.CANCELLED : FinishReason.DEADLINE, null);
      }
    }
  }

  private void schedule() {
    scheduler.schedule(pace.tokens()).forEach(now::add);
  }

  private void run() {
    boolean overlaps = executable.runsAhead();
    if (!overlaps) {
      tellReaders();
    }
    long start = System.nanoTime();
    long began = lastRanNanos == 0 ? start : lastRanNanos;
    try {
      if (!now.ahead) {
        executable.start(now.step);
      }
      if (overlaps) {
        tellReaders(); // waking them takes time in which the device computes
        awaitNearlyOver(began);
      }
      if (lookAhead()) {
        executable.startNext(next.step);
      } else {
        next.clear();
      }
      long awaited = System.nanoTime();
      executable.await();
      lastRanNanos = System.nanoTime();
      observe(lastRanNanos - began, lastRanNanos - awaited);
      tell(lastRanNanos - start, take());
    } catch (DeviceFailedException e) {
      failure = e; // abandon() tells whoever waits
    } catch (RuntimeException e) {
      next.clear();
      for (int i = 0; i < now.size(); i++) {
        if (now.isCurrent(i)) {
          fail(now.sequence(i), "a step failed", e);
        }
      }
    }
    turnToNext();
  }

  private void observe(long nanos, long awaitNanos) {
    pace.observe(nanos, now.step.tokenCount());
    if (now.size() == now.step.tokenCount()) {
      // Who finds it over already has waited too long, and knows no more. One slow step says
      // little.
      long most = Math.max(2 * usualNanos[now.size()], FIRST_NANOS);
      usualNanos[now.size()] = awaitNanos < AHEAD_NANOS / 5 ? 0 : Math.min(nanos, most);
    }
  }

  /**
   * Waits until the step under way, which {@code began} then, is nearly over or a request comes.
   */
  private void awaitNearlyOver(long began) {
    long until = began + usualNanos[now.step.tokenCount()] - AHEAD_NANOS;
    for (long left = until - System.nanoTime();
        left > 0 && !closing && !isSubmittedTo();
        left = until - System.nanoTime()) {
      LockSupport.parkNanos(this, left);
    }
  }

  private void tell(long runNanos, int sampled) {
    StepStats stats =
        new StepStats(
            runNanos,
            System.nanoTime() - lastRanNanos,
            now.step.tokenCount(),
            now.size(),
            sampled,
            now.ahead ? 0 : scheduler.preempted());
    settings.listeners.forEach(l -> l.onStep(stats));
  }

  /** Takes the results of the step that is over; returns how many tokens were chosen. */
  private int take() {
    int output = 0;
    int sampled = 0;
    for (int i = 0; i < now.size(); i++) {
      Sequence s = now.sequence(i);
      boolean current = now.isCurrent(i);
      if (current) {
        s.ranIn(now.size());
      }
      if (now.hasOutput(i, output)) {
        sampled += current && next(s, output) ? 1 : 0;
        output++;
      } else if (current) {
        scheduler.computed(s);
      }
    }
    return sampled;
  }

  /**
   * Puts the step after the one under way together, from tokens that this one is to choose, so that
   * the device need not wait until the host has seen them; and from what is left of prompts. Only
   * where the device can guess the tokens of everybody who runs and nobody waits for a place.
   * Whoever turns out to have ended has a row in it that nobody looks at, and which writes K and V
   * to a block that was its own and is in no cache.
   *
   * @return whether there is such a step
   */
  private boolean lookAhead() {
    next.clear();
    if (!executable.runsAhead() || closing || scheduler.canAdmit() || isSubmittedTo()) {
      return false;
    }
    int going = 0;
    int output = 0;
    for (int i = 0; i < now.size(); i++) {
      boolean answers = now.hasOutput(i, output);
      output += answers ? 1 : 0;
      if (!now.isCurrent(i)) {
        continue;
      }
      going++;
      if (answers && !addNextToken(now.sequence(i), output - 1)) {
        return false;
      }
    }
    next.ahead = true;
    return going == scheduler.running().size() && addNextPieces() && !next.isEmpty();
  }

  /** Whether the token that output {@code output} chooses for {@code s} can be in the next step. */
  private boolean addNextToken(Sequence s, int output) {
    boolean last = s.count() + 1 >= s.maxTokens;
    if (!s.isForeseeable(executable.leastTop())
        || (last && !scheduler.waiting().isEmpty())
        || (!last && !kv.reserve(s.table, s.count() + 1))) {
      return false;
    }
    if (!last) {
      next.addChoice(s, output);
    }
    return true;
  }

  /** Whether what is left of the prompts of the step under way can go on in the next one. */
  private boolean addNextPieces() {
    int room = scheduler.promptTokens(next.size(), pace.tokens());
    for (int i = 0; i < now.size(); i++) {
      Sequence s = now.sequence(i);
      if (now.isCurrent(i) && now.tokens(i) < s.pending()) {
        int from = s.table.tokens() + now.tokens(i);
        int n = Math.min(s.count() - from, room);
        if (n <= 0 || !kv.reserve(s.table, from + n)) {
          return false;
        }
        next.add(s, from, n);
        room -= n;
      }
    }
    return true;
  }

  private void turnToNext() {
    Batch over = now;
    now = next;
    next = over;
    next.clear();
    for (int i = 0; i < now.size(); i++) {
      now.sequence(i).scheduled = now.tokens(i);
    }
  }

  /**
   * Chooses the next token of {@code s} from output {@code output} and hands it over.
   *
   * @return whether it could; if not, the next step computes the output again, or {@code s} failed
   */
  private boolean next(Sequence s, int output) {
    int token;
    String piece;
    boolean ends;
    try {
      token = choose(s, output);
      s.needsLogits = token == Token.NONE;
      if (s.needsLogits) {
        return false;
      }
      ends = tokenizer.isEnd(token) || s.params.stopTokens().contains(token);
      piece = ends ? "" : s.stops.accept(s.decoder.accept(token));
    } catch (DeviceFailedException e) {
      throw e;
    } catch (RuntimeException e) {
      fail(s, "choosing a token failed", e);
      return false;
    }
    if (!next.isEmpty() && executable.choice(output) != token) {
      next.miss(s);
    }
    scheduler.computed(s);
    s.append(token);
    s.client.served++;
    s.lastTokenNanos = System.nanoTime();
    if (s.firstTokenNanos == 0) {
      s.firstTokenNanos = s.lastTokenNanos;
    }
    boolean stopped = ends || s.stops.match() != null;
    boolean over = stopped || s.isFull();
    String text = over ? piece + restOfText(s) : piece;
    news.add(new News(s.stream, new Token(token, text, s.sampler.logprobs()), null, null));
    if (over) {
      finish(s, stopped ? FinishReason.STOP : FinishReason.LENGTH, null);
    }
    return true;
  }

  /** The next token of {@code s}; none if that takes logits that the step under way overwrites. */
  private int choose(Sequence s, int output) {
    if (s.sampler.isGreedy()) {
      int largest = executable.argmax(output);
      // The output matrix may have more rows than the vocabulary has tokens.
      if (largest >= 0 && largest < tokenizer.size() && s.sampler.takes(largest)) {
        return largest;
      }
    }
    if (s.sampler.needsTopOnly(executable.leastTop())) {
      int token = chooseOfTop(s, output);
      if (token != Token.NONE) {
        return token;
      }
    }
    if (!next.isEmpty()) {
      return Token.NONE;
    }
    executable.logits(output, logits);
    Arrays.fill(logits, tokenizer.size(), logits.length, Float.NEGATIVE_INFINITY);
    return s.sampler.sample(logits, s.tokens(), s.count(), scratch);
  }

  /** Likewise, from the largest logits alone; none if they do not tell. */
  private int chooseOfTop(Sequence s, int output) {
    if (executable.argmax(output) < 0) {
      return Token.NONE; // some are no numbers
    }
    int found = executable.top(output, topIds, topLogits);
    int count = 0;
    for (int i = 0; i < found; i++) {
      if (topIds[i] < tokenizer.size()) {
        topIds[count] = topIds[i];
        topLogits[count++] = topLogits[i];
      }
    }
    return s.sampler.sampleTop(topIds, topLogits, count, s.count(), scratch);
  }

  private static String restOfText(Sequence s) {
    return s.stops.match() != null ? "" : s.stops.accept(s.decoder.finish()) + s.stops.finish();
  }

  private void fail(Sequence s, String what, RuntimeException cause) {
    finish(s, FinishReason.ERROR, new GenerationException(what + ": " + cause.getMessage(), cause));
  }

  /** Frees what {@code s} holds; the listeners will be told, and its reader last. */
  private void finish(Sequence s, FinishReason reason, @Nullable GenerationException failure) {
    scheduler.remove(s);
    news.add(new News(s.stream, null, s.stats(reason, System.nanoTime()), failure));
  }

  private void tellReaders() {
    for (News n = news.poll(); n != null; n = news.poll()) {
      RequestStats end = n.end;
      if (n.token != null) {
        n.to.add(n.token);
      } else if (end != null) {
        settings.listeners.forEach(l -> l.onFinish(end));
        n.to.finish(end, n.failure);
      }
    }
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
    publishStatus();
    tellReaders();
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
