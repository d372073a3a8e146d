package dev.ridgeline.server;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineStatus;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

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
      @Nullable Double limitTokensPerSecond,
      double uptimeSeconds) {}

  private record Kv(
      double usage, int blocks, int inUse, int cached, long evictions, int blockTokens) {}

  private record Totals(
      double generatedTokens, double promptTokens, double cacheHitRatio, long preemptions) {}

  /** Each at 0.5, 0.95, 0.99 and 1; of the last 2,048. */
  private record Latencies(
      double[] firstTokenMillis, double[] interTokenMillis, double[] requestMillis) {}

  /**
   * Tokens a second of {@code n} sequences of half the context if nothing but the machine counts.
   */
  private static @Nullable Double limit(Core core, Engine engine, int n) {
    MachineLimits limits = core.limits();
    if (limits == null) {
      return null;
    }
    var capacity = engine.plan().capacity();
    var kv = capacity.kvType().type();
    Cost empty = Cost.of(engine.model().graph(), Cost.Workload.of(1, 0, kv));
    Cost deep = Cost.of(engine.model().graph(), Cost.Workload.of(1, capacity.maxContext() / 2, kv));
    double bytes = empty.memoryBytes() + n * (deep.memoryBytes() - empty.memoryBytes());
    return n / limits.mixedAs(deep).floorSeconds(bytes, (double) (n * deep.flops()));
  }

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
            limit(core, engine, Math.max(1, s.running())),
            ManagementFactory.getRuntimeMXBean().getUptime() / 1e3));
  }
}
