package dev.ridgeline.scheduler;

import dev.ridgeline.kvcache.KvCache;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides which sequences get how many tokens in a step (continuous batching, Yu et al., "Orca",
 * OSDI 2022; chunked prefill, Agrawal et al., "Sarathi-Serve", OSDI 2024). A sequence has tokens
 * that are not computed, and gets some of them: whether they are a prompt or were generated makes
 * no difference, except that one with a single token goes before one with many, since somebody is
 * reading along.
 *
 * <p>When KV blocks run out, the least urgent, youngest running sequence gives up all of its blocks
 * and waits; it is computed again later, from what the prefix cache still holds. The most urgent,
 * oldest one is never preempted, and the pools hold the longest sequence there can be, so that
 * somebody always gets on. Not thread-safe.
 */
final class Scheduler {
  private final KvCache kv;
  private final int maxTokens;
  private final int maxSequences;
  private final int fewTokens;
  private final FairQueue queue = new FairQueue();

  /** In {@link Sequence#ORDER}. */
  private final List<Sequence> running = new ArrayList<>();

  private final List<Sequence> batch = new ArrayList<>();
  private int budget;
  private int preempted;

  /**
   * For steps of at most {@code maxTokens} tokens of {@code maxSequences} sequences.
   *
   * @param fewTokens {@link dev.ridgeline.backend.Executable#fewTokens}
   */
  Scheduler(KvCache kv, int maxTokens, int maxSequences, int fewTokens) {
    if (maxSequences <= 0 || maxTokens < maxSequences) {
      throw new IllegalArgumentException(
          "steps of %d tokens for %d sequences".formatted(maxTokens, maxSequences));
    }
    this.kv = kv;
    this.maxTokens = maxTokens;
    this.maxSequences = maxSequences;
    this.fewTokens = fewTokens;
  }

  void add(Sequence sequence) {
    queue.add(sequence);
  }

  List<Sequence> waiting() {
    return queue.waiting();
  }

  List<Sequence> running() {
    return running;
  }

  /** Whether somebody waits and a place is free. */
  boolean canAdmit() {
    return running.size() < maxSequences && !queue.waiting().isEmpty();
  }

  /** How many sequences the last {@link #schedule} preempted. */
  int preempted() {
    return preempted;
  }

  /**
   * The sequences of the next step, each with {@link Sequence#scheduled} tokens for which it has KV
   * blocks; empty if there is nothing to do. Valid until the next call.
   *
   * @param prefillTokens how many tokens sequences with more than one may get while others have one
   */
  List<Sequence> schedule(int prefillTokens) {
    batch.clear();
    budget = maxTokens;
    preempted = 0;
    for (int i = 0; i < running.size(); i++) {
      if (running.get(i).pending() == 1) {
        give(running.get(i), 1);
      }
    }
    budget = promptTokens(batch.size(), prefillTokens);
    for (int i = 0; i < running.size() && budget > 0; i++) {
      if (running.get(i).pending() > 1) {
        give(running.get(i), Math.min(running.get(i).pending(), budget));
      }
    }
    if (preempted == 0) {
      admit();
    }
    return batch;
  }

  /**
   * Tokens of prompts in a step in which {@code generating} sequences have one token: as many as
   * there is room for, or {@code bound} where somebody reads along. Short prompts fill up a step
   * whose other tokens cost what a full one does: on an H200, llama-8b, 12 sequences, 3.3 ms a
   * step, with 20 tokens of a prompt 5.4, with 40 8.1; of prompts longer than that no piece costs
   * less a token than a large one.
   */
  int promptTokens(int generating, int bound) {
    int room = maxTokens - generating;
    if (generating == 0) {
      return room;
    }
    room = Math.min(room, bound);
    if (fewTokens == 0) {
      return room;
    }
    long prompts = 0;
    for (Sequence s : running) {
      prompts += s.pending() > 1 ? s.pending() : 0;
    }
    for (Sequence s : queue.waiting()) {
      prompts += s.pending();
    }
    int full = Math.ceilDiv(generating + PrefillPace.LEAST, fewTokens) * fewTokens;
    return prompts <= 2L * fewTokens ? Math.min(room, full - generating) : room;
  }

  /**
   * Puts {@code n} tokens of a running sequence into the step, at the cost of others if need be.
   */
  private void give(Sequence sequence, int n) {
    while (!kv.reserve(sequence.table, sequence.table.tokens() + n)) {
      Sequence victim = running.getLast();
      preempt(victim);
      if (victim == sequence) {
        return;
      }
    }
    schedule(sequence, n);
  }

  private void schedule(Sequence sequence, int n) {
    sequence.scheduled = n;
    batch.add(sequence);
    budget -= n;
  }

  private void preempt(Sequence victim) {
    running.remove(victim);
    if (batch.remove(victim)) {
      budget += victim.scheduled;
    }
    kv.release(victim.table);
    victim.preemptions++;
    preempted++;
    queue.requeue(victim);
  }

  private void admit() {
    while (running.size() < maxSequences && budget > 0) {
      Sequence next = queue.first();
      if (next == null) {
        return;
      }
      long salt = next.params.scheduling().cacheSalt();
      // At least one token must be computed, since its logits are wanted.
      int cached = kv.reuse(next.table, salt, next.tokens(), next.count() - 1);
      int n = Math.min(next.pending(), budget);
      boolean fits = kv.fits(next.table, next.count(), maxTokens);
      if (!fits || !kv.reserve(next.table, cached + n)) {
        kv.release(next.table);
        return;
      }
      queue.admit(next);
      insert(next);
      if (next.startedNanos == 0) {
        next.startedNanos = System.nanoTime();
        next.stream.start();
        next.cachedTokens = cached;
        next.client.served += next.pending();
      }
      schedule(next, n);
    }
  }

  private void insert(Sequence sequence) {
    int at = running.size();
    while (at > 0 && Sequence.ORDER.compare(sequence, running.get(at - 1)) < 0) {
      at--;
    }
    running.add(at, sequence);
  }

  /** Takes note that the tokens scheduled last are computed and their K and V stored. */
  void computed(Sequence sequence) {
    kv.commit(sequence.table, sequence.tokens(), sequence.table.tokens() + sequence.scheduled);
  }

  /** Forgets a sequence that is over, wherever it was, and takes its blocks. */
  void remove(Sequence sequence) {
    running.remove(sequence);
    queue.leave(sequence);
    kv.release(sequence.table);
  }
}
