package dev.ridgeline.lab.history;

import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.stats.Estimate;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/**
 * One measured row of the past.
 *
 * @param id given by the store; 0 before it is stored
 * @param time when it was measured
 * @param kind {@code bench} or {@code study}
 * @param machine where, with what
 * @param model what the file calls itself
 * @param modelHash SHA-256 of the file
 * @param variant how it is quantized, as its file says
 * @param setup the backend and its flags
 * @param promptTokens of a run
 * @param generateTokens of a run
 * @param depth tokens in the KV cache before it
 * @param speeds tokens per second of each run
 * @param bytesPerToken that a token must move
 * @param shareOfLimit what the median run reached of the machine's limit
 */
public record Entry(
    long id,
    Instant time,
    String kind,
    MachineInfo machine,
    String model,
    String modelHash,
    String variant,
    Flags setup,
    int promptTokens,
    int generateTokens,
    int depth,
    List<Double> speeds,
    double bytesPerToken,
    double shareOfLimit) {

  /** How it was run. */
  public record Flags(String backend, int threads, int batch, String kvType) {
    @Override
    public String toString() {
      return "%s, %d %s, batch %d, KV %s"
          .formatted(backend, threads, threads == 1 ? "thread" : "threads", batch, kvType);
    }
  }

  /** Rejects entries without a run. */
  public Entry {
    speeds = List.copyOf(speeds);
    if (speeds.isEmpty()) {
      throw new IllegalArgumentException("an entry of the history needs a run");
    }
  }

  /** A row of {@code bench}. */
  public static Entry of(
      Bench.Row row, MachineInfo machine, String modelHash, String variant, Instant time) {
    return new Entry(
        0,
        time,
        "bench",
        machine,
        row.modelName(),
        modelHash,
        variant,
        new Flags(
            row.machine().backend(),
            row.machine().threads(),
            row.setup().batch(),
            row.setup().kvType().name().toLowerCase(Locale.ROOT)),
        row.promptTokens(),
        row.generateTokens(),
        row.depth(),
        row.speeds(),
        row.bytesPerToken(),
        row.utilization().shareOfLimit());
  }

  /** Tokens per second. */
  public Estimate tokensPerSecond() {
    return Estimate.of(speeds);
  }

  /** Such as {@code generate 128 at 512}. */
  public String test() {
    String what = promptTokens > 0 ? "prompt " + promptTokens : "generate " + generateTokens;
    return depth > 0 ? what + " at " + depth : what;
  }
}
