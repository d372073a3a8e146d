package dev.ridgeline.cli;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.lab.Utilization;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.RequestStats;
import java.io.PrintWriter;

/** The line after an answer: speeds, and their share of what the machine could do at most. */
final class Speeds {
  private Speeds() {}

  static void report(PrintWriter err, Engine engine, RequestStats stats) {
    MachineLimits limits = LimitsCache.of(engine.backend());
    var line = new StringBuilder();
    line.append(
        Text.number(
            "prompt %d tokens, %s tok/s",
            stats.promptTokens(), Text.significant(stats.promptTokensPerSecond())));
    if (stats.generatedTokens() > 1) {
      int depth = stats.promptTokens() + stats.generatedTokens() / 2;
      Cost cost = cost(engine, depth);
      double perSecond = stats.decodeTokensPerSecond();
      var reached = Utilization.of(cost, 1 / perSecond, limits);
      if (reached.isError()) {
        // The machine was busy when it was measured.
        limits = LimitsCache.again(engine.backend(), limits);
        reached = Utilization.of(cost, 1 / perSecond, limits);
      }
      line.append(
          Text.number(
              "; generated %d tokens, %s tok/s = %s GB/s, %.0f %% of this machine's limit (%s)",
              stats.generatedTokens(),
              Text.significant(perSecond),
              Text.significant(reached.gigabytesPerSecond()),
              100 * reached.shareOfLimit(),
              describe(limits.mixedAs(cost), reached.limit())));
    }
    err.println(line);
    err.flush();
  }

  /** One token at the middle of the answer. */
  private static Cost cost(Engine engine, int depth) {
    Graph graph = engine.model().graph();
    return Cost.of(graph, Cost.Workload.of(1, depth, engine.plan().capacity().kvType().type()));
  }

  private static String describe(MachineLimits limits, MachineLimits.Limit limit) {
    return switch (limit) {
      case MEMORY_BANDWIDTH -> Text.number("reads %.1f GB/s", limits.readBytesPerSecond() / 1e9);
      case ARITHMETIC -> Text.number("does %.0f GFLOP/s", limits.flopsPerSecond() / 1e9);
    };
  }
}
