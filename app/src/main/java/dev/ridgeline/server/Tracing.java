package dev.ridgeline.server;

import dev.ridgeline.scheduler.RequestStats;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A span for each request with its phases below it, in the terms of OpenTelemetry's conventions for
 * generative models. Set up by the variables {@code OTEL_...}; without any of them it is off.
 */
final class Tracing {
  private final Tracer tracer;

  Tracing(OpenTelemetry telemetry) {
    tracer = telemetry.getTracer("dev.ridgeline.server");
  }

  /** As the environment says. */
  static Tracing fromEnvironment() {
    boolean wanted =
        System.getenv().keySet().stream()
            .anyMatch(n -> n.startsWith("OTEL_") && !n.equals("OTEL_SDK_DISABLED"));
    return new Tracing(
        wanted
            ? AutoConfiguredOpenTelemetrySdk.builder().build().getOpenTelemetrySdk()
            : OpenTelemetry.noop());
  }

  /** Writes what became of a request that began {@code startNanos} ago, by System.nanoTime. */
  void record(ServerRequestHeaders headers, String route, int status, RequestLine line) {
    long now = System.currentTimeMillis() * 1_000_000;
    long start = now - (System.nanoTime() - line.startNanos());
    Context parent =
        W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, GETTER);
    Span span =
        tracer
            .spanBuilder(route)
            .setParent(parent)
            .setSpanKind(SpanKind.SERVER)
            .setStartTimestamp(start, TimeUnit.NANOSECONDS)
            .setAttribute("http.route", route)
            .setAttribute("http.response.status_code", status)
            .setAttribute("gen_ai.response.id", line.id())
            .startSpan();
    if (status >= 500) {
      span.setStatus(StatusCode.ERROR);
    }
    Context own = Context.root().with(span);
    for (RequestStats stats : line.stats()) {
      span.setAttribute("gen_ai.usage.input_tokens", stats.promptTokens());
      span.setAttribute("gen_ai.usage.output_tokens", stats.generatedTokens());
      var t = stats.timings();
      long at = start;
      at = phase(own, "queue", at, t.queuedNanos());
      at = phase(own, "prefill", at, t.prefillNanos());
      phase(own, "decode", at, t.decodeNanos());
    }
    span.end(now, TimeUnit.NANOSECONDS);
  }

  private long phase(Context parent, String name, long start, long nanos) {
    tracer
        .spanBuilder(name)
        .setParent(parent)
        .setStartTimestamp(start, TimeUnit.NANOSECONDS)
        .startSpan()
        .end(start + nanos, TimeUnit.NANOSECONDS);
    return start + nanos;
  }

  private static final TextMapGetter<ServerRequestHeaders> GETTER =
      new TextMapGetter<>() {
        @Override
        @SuppressWarnings("deprecation") // still abstract
        public Iterable<String> keys(ServerRequestHeaders headers) {
          return List.of("traceparent", "tracestate");
        }

        @Override
        public @Nullable String get(@Nullable ServerRequestHeaders headers, String key) {
          return headers == null ? null : headers.first(HeaderNames.create(key)).orElse(null);
        }
      };
}
