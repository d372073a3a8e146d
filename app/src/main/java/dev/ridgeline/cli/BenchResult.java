package dev.ridgeline.cli;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.Utilization;
import dev.ridgeline.lab.stats.Estimate;
import java.util.List;
import java.util.Locale;

/** One row of {@code bench} as the JSON contract names it. */
@JsonIgnoreProperties(ignoreUnknown = true)
record BenchResult(
    String model,
    String backend,
    int threads,
    int batch,
    String kvType,
    int promptTokens,
    int generateTokens,
    int depth,
    Estimate tokensPerSecond,
    List<Double> samples,
    double bytesPerToken,
    double flopsPerToken,
    double gigabytesPerSecond,
    double gigaflopsPerSecond,
    String limit,
    double shareOfLimit,
    double warmupSeconds,
    boolean steady,
    String cpu,
    String ridgeline,
    String commit) {

  /** Rejects rows that a comparison could not use. */
  BenchResult {
    if (model == null
        || backend == null
        || tokensPerSecond == null
        || samples == null
        || samples.isEmpty()) {
      throw new IllegalArgumentException(
          "expected model, backend, tokens_per_second and samples, as 'bench --format jsonl' writes them");
    }
  }

  static BenchResult of(Bench.Row r, MachineInfo info) {
    MachineFigures machine = r.machine();
    Utilization reached = r.utilization();
    return new BenchResult(
        r.modelName(),
        machine.backend(),
        machine.threads(),
        r.setup().batch(),
        r.setup().kvType().name().toLowerCase(Locale.ROOT),
        r.promptTokens(),
        r.generateTokens(),
        r.depth(),
        r.tokensPerSecond(),
        r.speeds(),
        r.bytesPerToken(),
        r.flopsPerToken(),
        reached.gigabytesPerSecond(),
        reached.gigaflopsPerSecond(),
        reached.limit().name().toLowerCase(Locale.ROOT),
        reached.shareOfLimit(),
        r.warmUp().seconds(),
        r.warmUp().steady(),
        info.cpu(),
        info.ridgeline(),
        info.commit());
  }

  /** What is measured: such as {@code prompt 512 at 128}. */
  String test() {
    return (promptTokens > 0 ? "prompt " + promptTokens : "generate " + generateTokens)
        + (depth > 0 ? " at " + depth : "");
  }

  /** How it is run: rows of two benches with the same key are the same measurement. */
  String key() {
    return "%s, %s, %d threads, batch %d, KV %s, %s"
        .formatted(model, backend, threads, batch, kvType, test());
  }
}
