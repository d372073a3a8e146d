package dev.ridgeline.server;

import dev.ridgeline.scheduler.GenerationException;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.server.ApiException.Kind;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends an answer while it is generated. The stream begins with the first event, so that a request
 * that fails before gets its proper status; a failure later is an event of its own.
 */
final class StreamedAnswer implements Generation.Listener {
  private final Exchange exchange;
  private final Generation.Listener inner;
  private @Nullable Sse sse;

  private StreamedAnswer(Exchange exchange, Function<Supplier<Sse>, Generation.Listener> listener) {
    this.exchange = exchange;
    inner = listener.apply(this::sse);
  }

  /**
   * Runs {@code generation} to its end.
   *
   * @param listener writes events to the stream it is given
   * @param end writes what comes after the last token, and sends it
   */
  static void run(
      Exchange exchange,
      Generation generation,
      Function<Supplier<Sse>, Generation.Listener> listener,
      Consumer<Sse> end) {
    run(exchange, generation, listener, end, (sse, e) -> sse.add(e.body()));
  }

  /** How an API writes a failure after its stream has begun. */
  interface Failure {
    void write(Sse sse, ApiException e);
  }

  static void run(
      Exchange exchange,
      Generation generation,
      Function<Supplier<Sse>, Generation.Listener> listener,
      Consumer<Sse> end,
      Failure failure) {
    var answer = new StreamedAnswer(exchange, listener);
    try {
      generation.run(answer);
      end.accept(answer.sse());
    } catch (ApiException | GenerationException e) {
      if (answer.sse == null) {
        throw e;
      }
      ApiException error =
          e instanceof ApiException api
              ? api
              : ApiException.of(Kind.INTERNAL, String.valueOf(e.getMessage()));
      failure.write(answer.sse, error);
      answer.sse.flush();
    } finally {
      if (answer.sse != null) {
        answer.sse.close();
      }
    }
  }

  private Sse sse() {
    if (sse == null) {
      sse = exchange.events();
    }
    return sse;
  }

  @Override
  public void onToken(int index, Token token) {
    inner.onToken(index, token);
  }

  @Override
  public void onEnd(int index, RequestStats stats) {
    inner.onEnd(index, stats);
  }

  @Override
  public void onPause() {
    inner.onPause();
    if (sse != null) {
      sse.flush();
    }
  }

  @Override
  public void onSilence() {
    sse().keepAlive();
  }
}
