package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.server.ApiException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** Takes requests, or turns them away when too many or too old ones are waiting. */
final class Admission {
  private final ServerSettings.Admission limits;

  /** Those that had not started when they were last looked at, oldest first. */
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  /** When the last requests started: what Retry-After is estimated from. */
  private final ArrayDeque<Long> starts = new ArrayDeque<>();

  private record Waiting(TokenStream stream, int tokens, long sinceNanos) {}

  /** A sequence to be generated. */
  record Request(int[] prompt, GenerateParams params) {}

  Admission(ServerSettings.Admission limits) {
    this.limits = limits;
  }

  /**
   * Gives all of {@code requests} to the engine, or none.
   *
   * @throws ApiException 429 if the queue is full
   */
  synchronized List<TokenStream> submit(Engine engine, List<Request> requests) {
    long now = System.nanoTime();
    prune(now);
    int places = engine.plan().capacity().maxSequences();
    int free = Math.max(0, places - engine.status().running() - waiting.size());
    int queued = waiting.size() + Math.max(0, requests.size() - free);
    long tokens = waiting.stream().mapToLong(Waiting::tokens).sum();
    for (Request request : requests) {
      tokens += request.prompt().length;
    }
    if (requests.size() > free) {
      refuseIf(queued > limits.requests(), "%d requests may wait".formatted(limits.requests()));
      refuseIf(tokens > limits.tokens(), "%d prompt tokens may wait".formatted(limits.tokens()));
      refuseIf(
          !waiting.isEmpty() && now - waiting.peek().sinceNanos() > limits.age().toNanos(),
          "requests wait for more than %d s".formatted(limits.age().toSeconds()));
    }
    var streams = new ArrayList<TokenStream>();
    try {
      for (Request request : requests) {
        TokenStream stream = engine.generate(request.prompt(), request.params());
        streams.add(stream);
        waiting.add(new Waiting(stream, request.prompt().length, now));
      }
    } catch (RuntimeException e) {
      streams.forEach(TokenStream::cancel);
      throw e;
    }
    return streams;
  }

  private void prune(long now) {
    waiting.removeIf(
        w -> {
          boolean gone = w.stream.isStarted() || w.stream.isOver();
          if (w.stream.isStarted()) {
            starts.add(now);
          }
          return gone;
        });
    while (starts.size() > 64) {
      starts.remove();
    }
  }

  private void refuseIf(boolean full, String limit) {
    if (full) {
      throw ApiException.later(
          Kind.TOO_MANY, "the queue is full (" + limit + "); try again later", retryAfter());
    }
  }

  /** Seconds until the queue should have moved on, at the pace of the last starts. */
  private synchronized int retryAfter() {
    if (starts.size() < 2) {
      return 5;
    }
    double seconds = (System.nanoTime() - starts.getFirst()) / 1e9;
    double each = seconds / starts.size();
    return (int) Math.clamp(Math.ceil(each * Math.max(1, waiting.size() / 2.0)), 1, 60);
  }

  /** A request was turned away because it waited for too long. */
  ApiException tooOld() {
    return ApiException.later(
        Kind.TOO_MANY,
        "no place came free within %d s; try again later".formatted(limits.age().toSeconds()),
        retryAfter());
  }

  long ageNanos() {
    return limits.age().toNanos();
  }
}
