package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.FinishReason;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.server.ApiException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The answers to one HTTP request as they are generated. Ends with the client: if it goes away, so
 * do the sequences, within a step.
 */
final class Generation implements AutoCloseable {
  /** Hears of one answer after the other, token by token, in the thread that runs {@link #run}. */
  interface Listener {
    /** A token of answer {@code index}. */
    void onToken(int index, Token token);

    /** Answer {@code index} is over. */
    void onEnd(int index, RequestStats stats);

    /** There is nothing more at the moment: what was held back should go out. */
    default void onPause() {}

    /** Nothing has come for a while. */
    default void onSilence() {}
  }

  private static final Duration LOOK_AROUND = Duration.ofSeconds(1);
  private static final int SILENT_ROUNDS = 15;

  /** Prompts that begin alike are computed together only by luck: see {@link #start}. */
  private static final int WORTH_WAITING_TOKENS = 64;

  private final Exchange exchange;
  private final List<TokenStream> streams = new CopyOnWriteArrayList<>();
  private final long startNanos = System.nanoTime();
  private final ConnectionReader connection = WatchedConnections.current();
  private final long[] lastTokenNanos;
  private volatile boolean clientGone;

  private Generation(Exchange exchange, int answers) {
    this.exchange = exchange;
    lastTokenNanos = new long[answers];
  }

  /**
   * Submits {@code n} answers to each of {@code prompts}, in that order.
   *
   * @throws ApiException 400 if a prompt does not fit, 429 if the queue is full
   */
  static Generation start(Exchange exchange, List<int[]> prompts, int n, GenerateParams params) {
    Engine engine = exchange.core().engine();
    int answers = Math.multiplyExact(prompts.size(), n);
    int most = exchange.core().settings.limits().choices();
    if (answers > most) {
      throw ApiException.invalid(
          "n", "n: expected at most %d answers to a request, found %d".formatted(most, answers));
    }
    int context = engine.plan().capacity().maxContext();
    for (int[] prompt : prompts) {
      if (prompt.length == 0 || prompt.length >= context) {
        throw ApiException.invalid(
            "prompt",
            "prompt: expected 1 to %d tokens, as the context is %d; found %d"
                .formatted(context - 1, context, prompt.length));
      }
    }
    var requests = new ArrayList<Admission.Request>();
    for (int[] prompt : prompts) {
      for (int i = 0; i < n; i++) {
        requests.add(new Admission.Request(prompt, seeded(params, i)));
      }
    }
    var generation = new Generation(exchange, answers);
    generation.submit(engine, requests, n);
    return generation;
  }

  /** Answers to one prompt must differ, also where the client wants to get them again. */
  private static GenerateParams seeded(GenerateParams params, int choice) {
    Long seed = params.sampling().seed();
    return choice == 0 || seed == null
        ? params
        : params.toBuilder()
            .sampling(params.sampling().toBuilder().seed(seed + choice).build())
            .build();
  }

  private void submit(Engine engine, List<Admission.Request> requests, int n) {
    boolean wait = n > 1 && requests.getFirst().prompt().length >= WORTH_WAITING_TOKENS;
    if (!wait) {
      streams.addAll(exchange.core().admission.submit(engine, requests));
      watch();
      return;
    }
    // The first answer computes the prompt; the others find it in the prefix cache.
    streams.addAll(exchange.core().admission.submit(engine, requests.subList(0, 1)));
    watch();
    try {
      awaitFirst(streams.getFirst());
      streams.addAll(
          exchange.core().admission.submit(engine, requests.subList(1, requests.size())));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
    if (clientGone) {
      cancel();
    }
  }

  private void watch() {
    connection.watch(
        () -> {
          clientGone = true;
          cancel();
        });
  }

  private void cancel() {
    List.copyOf(streams).forEach(TokenStream::cancel);
  }

  private void awaitFirst(TokenStream stream) {
    while (!stream.await(LOOK_AROUND)) {
      refuseIfTooOld(stream);
    }
  }

  private void refuseIfTooOld(TokenStream stream) {
    long age = exchange.core().admission.ageNanos();
    if (!stream.isStarted() && System.nanoTime() - startNanos > age) {
      cancel();
      throw exchange.core().admission.tooOld();
    }
  }

  /** How many answers there are. */
  int answers() {
    return streams.size();
  }

  /**
   * Tells {@code listener} everything.
   *
   * @throws ClientGoneException if the client went away
   * @throws ApiException if the time was over, or the server is about to end
   */
  void run(Listener listener) {
    if (streams.size() == 1) {
      runOne(listener, streams.getFirst());
    } else {
      runMany(listener);
    }
    listener.onPause();
  }

  private void runOne(Listener listener, TokenStream stream) {
    int silent = 0;
    while (true) {
      if (!stream.await(Duration.ZERO)) {
        listener.onPause();
        while (!stream.await(LOOK_AROUND)) {
          refuseIfTooOld(stream);
          silent = silence(listener, silent);
        }
      }
      silent = 0;
      if (!stream.hasNext()) {
        end(listener, 0, stream.stats());
        return;
      }
      token(listener, 0, stream.next());
    }
  }

  private static int silence(Listener listener, int rounds) {
    if (rounds + 1 == SILENT_ROUNDS) {
      listener.onSilence();
      return 0;
    }
    return rounds + 1;
  }

  /** A token, the end, or the failure of an answer. */
  private record Event(
      int index,
      @Nullable Token token,
      @Nullable RequestStats end,
      @Nullable RuntimeException failure) {}

  private void runMany(Listener listener) {
    var events = new LinkedBlockingQueue<Event>();
    for (int i = 0; i < streams.size(); i++) {
      int index = i;
      Thread.ofVirtual().start(() -> forward(index, events));
    }
    int open = streams.size();
    int silent = 0;
    while (open > 0) {
      Event event = events.poll();
      if (event == null) {
        listener.onPause();
        event = poll(events);
      }
      if (event == null) {
        streams.forEach(this::refuseIfTooOld);
        silent = silence(listener, silent);
        continue;
      }
      silent = 0;
      if (event.failure != null) {
        throw event.failure;
      } else if (event.token != null) {
        token(listener, event.index, event.token);
      } else if (event.end != null) {
        end(listener, event.index, event.end);
        open--;
      }
    }
  }

  private static @Nullable Event poll(LinkedBlockingQueue<Event> events) {
    try {
      return events.poll(LOOK_AROUND.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientGoneException();
    }
  }

  private void forward(int index, LinkedBlockingQueue<Event> events) {
    try {
      TokenStream stream = streams.get(index);
      for (Token token : stream) {
        events.add(new Event(index, token, null, null));
      }
      events.add(new Event(index, null, stream.stats(), null));
    } catch (RuntimeException e) {
      events.add(new Event(index, null, null, e));
    }
  }

  private void token(Listener listener, int index, Token token) {
    long now = System.nanoTime();
    if (lastTokenNanos[index] != 0) {
      exchange.core().metrics.gap(now - lastTokenNanos[index]);
    }
    lastTokenNanos[index] = now;
    if (!clientGone) {
      listener.onToken(index, token);
    }
  }

  private void end(Listener listener, int index, RequestStats stats) {
    if (clientGone) {
      throw new ClientGoneException();
    }
    if (stats.finishReason() == FinishReason.CANCELLED) {
      throw ApiException.later(Kind.NOT_READY, "the server is shutting down", 5);
    }
    if (stats.finishReason() == FinishReason.DEADLINE) {
      throw ApiException.of(
          Kind.TIMEOUT,
          "the time for this request was over after %d tokens".formatted(stats.generatedTokens()));
    }
    listener.onEnd(index, stats);
  }

  /** Ends what still runs, and writes down what became of it. */
  @Override
  public void close() {
    connection.unwatch();
    cancel();
    for (TokenStream stream : streams) {
      exchange.line().add(stream.stats());
    }
  }
}
