package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.StepDriver;
import dev.ridgeline.lab.WarmUp;
import dev.ridgeline.model.Model;
import org.jspecify.annotations.Nullable;

/** A variant that is loaded and warm. */
final class OpenVariant implements AutoCloseable {
  private static final int WARMUP_TOKENS = 32;

  private final StudyVariant variant;
  private final MachineFigures limits;
  private final @Nullable Long gpuBytes;
  private final int promptTokens;
  private final GgufFile file;
  private final LoadedModel model;

  OpenVariant(
      StudyVariant variant,
      Backend backend,
      MachineFigures limits,
      @Nullable Long gpuBytes,
      LoadedModel.Room room,
      int promptTokens,
      double warmupSeconds) {
    this.variant = variant;
    this.limits = limits;
    this.gpuBytes = gpuBytes;
    this.promptTokens = promptTokens;
    file = GgufFile.open(variant.path());
    try {
      Model read = Model.read(file.metadata(), file.tensors());
      model = new LoadedModel(file, read, backend, room);
    } catch (RuntimeException | OutOfMemoryError e) {
      file.close();
      throw e;
    }
    int tokens = Math.min(WARMUP_TOKENS, room.context());
    WarmUp.until(warmupSeconds, () -> promptSeconds() + generateSeconds(new long[tokens]));
  }

  LabRecord.Run measure(int tokens, int number) {
    double ttft = promptSeconds();
    long[] gaps = new long[tokens];
    double seconds = generateSeconds(gaps);
    Cost generate = model.generateCost(tokens, 0);
    Cost prompt = model.promptCost(promptTokens, 0);
    return new LabRecord.Run(
        variant.name(),
        tokens,
        number,
        limits.backend(),
        limits.threads(),
        promptTokens,
        ttft,
        seconds,
        (double) generate.memoryBytes() / tokens,
        (double) generate.flops() / tokens,
        (double) prompt.memoryBytes(),
        (double) prompt.flops(),
        limits.readGigabytesPerSecond(),
        limits.limits().mixedAs(generate).flopsPerSecond() / 1e9,
        gpuBytes,
        gaps);
  }

  private double promptSeconds() {
    StepDriver driver = model.driver();
    driver.reset();
    long start = System.nanoTime();
    driver.prompt(promptTokens);
    int _ = model.executable().argmax(0);
    return (System.nanoTime() - start) / 1e9;
  }

  /** Generates from an empty context, and leaves the time from each token to the next. */
  private double generateSeconds(long[] gapNanos) {
    StepDriver driver = model.driver();
    driver.reset();
    long start = System.nanoTime();
    long[] last = {start};
    driver.generate(
        gapNanos.length,
        i -> {
          long now = System.nanoTime();
          gapNanos[i] = now - last[0];
          last[0] = now;
        });
    return (last[0] - start) / 1e9;
  }

  @Override
  public void close() {
    model.close();
    file.close();
  }
}
