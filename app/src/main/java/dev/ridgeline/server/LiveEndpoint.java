package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineStatus;
import java.lang.management.ManagementFactory;

/** {@code GET /engine}: what the engine is doing, for the page's live view. */
final class LiveEndpoint {
  private LiveEndpoint() {}

  private record Live(
      String model,
      String backend,
      String state,
      int running,
      int waiting,
      long waitingTokens,
      int places,
      Kv kv,
      Totals totals,
      Latencies latencies,
      double uptimeSeconds) {}

  private record Kv(
      double usage, int blocks, int inUse, int cached, long evictions, int blockTokens) {}

  private record Totals(
      double generatedTokens, double promptTokens, double cacheHitRatio, long preemptions) {}

  /** Each at 0.5, 0.95, 0.99 and 1; of the last 2,048. */
  private record Latencies(
      double[] firstTokenMillis, double[] interTokenMillis, double[] requestMillis) {}

  static void handle(Exchange exchange) {
    Core core = exchange.core();
    Engine engine = core.engine();
    EngineStatus s = engine.status();
    Metrics m = core.metrics;
    var b = s.blocks();
    exchange.send(
        new Live(
            core.model(),
            engine.backend().name() + ": " + engine.backend().description(),
            core.state().name().toLowerCase(java.util.Locale.ROOT),
            s.running(),
            s.waiting(),
            s.waitingTokens(),
            engine.plan().capacity().maxSequences(),
            new Kv(
                s.kvUsage(),
                b.total(),
                b.inUse(),
                b.cached(),
                b.evictions(),
                engine.plan().capacity().blockTokens()),
            new Totals(m.generated(), m.promptTokenCount(), m.cacheHitRatio(), m.preemptionCount()),
            new Latencies(
                m.recentFirstToken().percentilesMillis(),
                m.recentGap().percentilesMillis(),
                m.recentWhole().percentilesMillis()),
            ManagementFactory.getRuntimeMXBean().getUptime() / 1e3));
  }
}
