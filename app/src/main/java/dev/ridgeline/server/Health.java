package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/**
 * What probes ask, without a key. Alive: no step hangs. Started: the model is loaded and has
 * answered once. Ready: started, and not about to end.
 */
record Health(Core core) {
  private record Status(String status) {}

  void live(ServerRequest request, ServerResponse response) {
    Engine engine = core.engineOrNull();
    long step = engine == null ? 0 : engine.status().stepNanos();
    boolean stuck = step > core.settings.operations().stuckStep().toNanos();
    boolean failed = core.state() == Core.State.FAILED;
    send(response, !stuck && !failed, stuck ? "a step hangs" : failed ? "failed" : "ok");
  }

  void started(ServerRequest request, ServerResponse response) {
    boolean started = core.state() == Core.State.READY || core.state() == Core.State.DRAINING;
    send(response, started, started ? "ok" : word());
  }

  void ready(ServerRequest request, ServerResponse response) {
    boolean ready = core.state() == Core.State.READY;
    send(response, ready, ready ? "ok" : word());
  }

  private String word() {
    return switch (core.state()) {
      case LOADING -> "loading model";
      case READY -> "ok";
      case DRAINING -> "shutting down";
      case FAILED -> "failed";
    };
  }

  private static void send(ServerResponse response, boolean good, String word) {
    response
        .status(good ? 200 : 503)
        .header(HeaderNames.CONTENT_TYPE, Exchange.JSON)
        .header(HeaderNames.CACHE_CONTROL, "no-store")
        .send(Json.bytes(new Status(word)));
  }

  /** {@code GET /metrics}. */
  static void metrics(Exchange exchange) {
    exchange.send(
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        exchange.core().metrics.scrape().getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }
}
