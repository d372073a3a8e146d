package dev.ridgeline.scheduler;

import dev.ridgeline.kvcache.BlockTable;
import dev.ridgeline.sampler.Sampler;
import dev.ridgeline.tokenizer.StreamDecoder;
import java.util.Arrays;
import java.util.Comparator;

/** A request on its way: its tokens, how far they are computed, and where its answer goes. */
final class Sequence {
  /** Who goes first, and last to be preempted. */
  static final Comparator<Sequence> ORDER =
      Comparator.<Sequence>comparingInt(s -> s.params.scheduling().priority())
          .thenComparingLong(s -> s.arrival);

  final long arrival;
  final GenerateParams params;
  final long seed;
  final Sampler sampler;
  final StreamDecoder decoder;
  final StopMatcher stops;
  final TokenStream stream;
  final BlockTable table;
  final int promptTokens;

  /** How many tokens there may be, the prompt included. */
  final int maxTokens;

  /** When the time is over, by System.nanoTime; only meaningful with a time limit. */
  final long deadline;

  final long submittedNanos;
  long startedNanos;
  long firstTokenNanos;
  long lastTokenNanos;
  int cachedTokens;
  int preemptions;

  /** Steps that it took part in, and the sum of the sequences in them. */
  private long steps;

  private long company;

  /** Whether its next token takes more than the largest logit. */
  boolean needsLogits;

  /** Tokens in the step being put together. */
  int scheduled;

  /** Its client's account, once the scheduler knows it. */
  FairQueue.Client client = FairQueue.NOBODY;

  private int[] tokens;
  private int count;

  /** What the engine makes of a request before its sequence is there. */
  record Parts(
      GenerateParams params,
      Sampler sampler,
      long seed,
      StreamDecoder decoder,
      TokenStream stream,
      BlockTable table) {}

  Sequence(Parts parts, long arrival, int[] prompt, int maxContext) {
    this.arrival = arrival;
    params = parts.params;
    seed = parts.seed;
    sampler = parts.sampler;
    decoder = parts.decoder;
    stream = parts.stream;
    table = parts.table;
    stops = new StopMatcher(params.stop());
    promptTokens = prompt.length;
    int room = maxContext - prompt.length;
    maxTokens =
        prompt.length + (params.maxTokens() < 0 ? room : Math.min(params.maxTokens(), room));
    tokens = Arrays.copyOf(prompt, Math.min(maxTokens, prompt.length + 64));
    count = prompt.length;
    submittedNanos = System.nanoTime();
    var limit = params.scheduling().timeLimit();
    deadline = limit == null ? 0 : submittedNanos + limit.toNanos();
  }

  int[] tokens() {
    return tokens;
  }

  int count() {
    return count;
  }

  int generated() {
    return count - promptTokens;
  }

  /** Tokens that are there but not computed. */
  int pending() {
    return count - table.tokens();
  }

  /** Whether a device that gives {@code most} of the largest logits can guess its next token. */
  boolean isForeseeable(int most) {
    return !needsLogits && (sampler.isGreedy() || sampler.draw(most) != null);
  }

  boolean isFull() {
    return count >= maxTokens;
  }

  boolean isExpired(long nowNanos) {
    return params.scheduling().timeLimit() != null && nowNanos - deadline >= 0;
  }

  void append(int token) {
    if (count == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.min(maxTokens, 2 * count));
    }
    tokens[count++] = token;
  }

  void ranIn(int batch) {
    steps++;
    company += batch;
  }

  RequestStats stats(FinishReason reason, long nowNanos) {
    boolean started = startedNanos != 0;
    boolean answered = firstTokenNanos != 0;
    var timings =
        new RequestStats.Timings(
            (started ? startedNanos : nowNanos) - submittedNanos,
            started ? (answered ? firstTokenNanos : nowNanos) - startedNanos : 0,
            answered ? lastTokenNanos - firstTokenNanos : 0);
    return new RequestStats(
        reason,
        stops.match(),
        seed,
        promptTokens,
        cachedTokens,
        generated(),
        preemptions,
        steps == 0 ? 0 : (double) company / steps,
        timings);
  }
}
