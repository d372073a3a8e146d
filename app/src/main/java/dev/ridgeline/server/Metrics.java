package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineListener;
import dev.ridgeline.scheduler.EngineStatus;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.StepStats;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What Prometheus reads. Counting is a few atomic additions, reading takes what the step thread has
 * published last: neither waits for the other. The names that Kubernetes' inference gateways look
 * for are vLLM's.
 */
final class Metrics implements EngineListener, AutoCloseable {
  private static final Duration[] SECONDS =
      millis(1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000);
  private static final Duration[] GAPS =
      millis(1, 2, 5, 7, 10, 13, 20, 30, 50, 75, 100, 200, 500, 1000, 5000);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics gc = new JvmGcMetrics();
  private final Timer firstToken = timer("ridgeline.time.to.first.token", SECONDS);
  private final Timer gap = timer("ridgeline.inter.token.latency", GAPS);
  private final Timer queued = timer("ridgeline.request.queue.time", SECONDS);
  private final Timer prefill = timer("ridgeline.request.prefill.time", SECONDS);
  private final Timer decode = timer("ridgeline.request.decode.time", SECONDS);
  private final Timer whole = timer("ridgeline.request.latency", SECONDS);
  private final Timer step = timer("ridgeline.step.time", GAPS);
  private final Timer backend = timer("ridgeline.step.backend.time", GAPS);
  private final DistributionSummary batch =
      DistributionSummary.builder("ridgeline.step.sequences")
          .serviceLevelObjectives(1, 2, 4, 8, 16, 32, 64, 128, 256)
          .register(registry);
  private final Counter promptTokens = registry.counter("ridgeline.prompt.tokens");
  private final Counter generatedTokens = registry.counter("ridgeline.generated.tokens");
  private final Counter prefixQueried = registry.counter("ridgeline.prefix.cache.queried.tokens");
  private final Counter prefixHit = registry.counter("ridgeline.prefix.cache.hit.tokens");
  private final Counter preemptions = registry.counter("ridgeline.preemptions");
  private final Recent recentFirstToken = new Recent();
  private final Recent recentGap = new Recent();
  private final Recent recentWhole = new Recent();
  private volatile @Nullable Engine engine;
  private volatile boolean counting;

  Metrics() {
    registry.config().namingConvention(new VllmNames(registry.config().namingConvention()));
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    gc.bindTo(registry);
    gauge("ridgeline.requests.waiting", EngineStatus::waiting);
    gauge("ridgeline.requests.running", EngineStatus::running);
    gauge("ridgeline.waiting.tokens", EngineStatus::waitingTokens);
    gauge("ridgeline.kv.usage.ratio", EngineStatus::kvUsage);
    gauge("ridgeline.kv.cached.blocks", s -> s.blocks().cached());
    FunctionCounter.builder("ridgeline.prefix.cache.evictions", this, m -> m.evictions())
        .register(registry);
    gauge("vllm:num_requests_waiting", EngineStatus::waiting);
    gauge("vllm:num_requests_running", EngineStatus::running);
    gauge("vllm:kv_cache_usage_perc", EngineStatus::kvUsage);
  }

  private static Duration[] millis(long... values) {
    return java.util.Arrays.stream(values).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
  }

  private Timer timer(String name, Duration[] bounds) {
    return Timer.builder(name).serviceLevelObjectives(bounds).register(registry);
  }

  private void gauge(String name, ToDoubleFunction<EngineStatus> value) {
    Gauge.builder(name, this, m -> m.of(value)).register(registry);
  }

  private double of(ToDoubleFunction<EngineStatus> value) {
    Engine current = engine;
    return current == null ? 0 : value.applyAsDouble(current.status());
  }

  private double evictions() {
    return of(s -> s.blocks().evictions());
  }

  /** The engine is there: its capacity can be told. */
  void engine(Engine loaded, String model) {
    engine = loaded;
    var capacity = loaded.plan().capacity();
    int blocks = capacity.kvBlocks().stream().mapToInt(Integer::intValue).max().orElse(0);
    for (String name : List.of("ridgeline.cache.config.info", "vllm:cache_config_info")) {
      Gauge.builder(name, () -> 1)
          .tag("model_name", model)
          .tag("block_size", String.valueOf(capacity.blockTokens()))
          .tag("num_gpu_blocks", String.valueOf(blocks))
          .tag("cache_dtype", capacity.kvType().name().toLowerCase(Locale.ROOT))
          .tag("enable_prefix_caching", loaded.plan().prefixCacheBytes() > 0 ? "True" : "False")
          .register(registry);
    }
  }

  /** From now on steps and requests count: those before made the engine warm. */
  void count() {
    counting = true;
  }

  @Override
  public void onStep(StepStats stats) {
    if (!counting) {
      return;
    }
    step.record(stats.runNanos() + stats.sampleNanos(), TimeUnit.NANOSECONDS);
    backend.record(stats.runNanos(), TimeUnit.NANOSECONDS);
    batch.record(stats.sequences());
    generatedTokens.increment(stats.sampled());
    preemptions.increment(stats.preempted());
  }

  @Override
  public void onFinish(RequestStats stats) {
    if (!counting) {
      return;
    }
    var t = stats.timings();
    promptTokens.increment(stats.promptTokens());
    prefixQueried.increment(stats.promptTokens());
    prefixHit.increment(stats.cachedTokens());
    queued.record(t.queuedNanos(), TimeUnit.NANOSECONDS);
    if (stats.generatedTokens() > 0) {
      prefill.record(t.prefillNanos(), TimeUnit.NANOSECONDS);
      decode.record(t.decodeNanos(), TimeUnit.NANOSECONDS);
      firstToken.record(t.firstTokenNanos(), TimeUnit.NANOSECONDS);
      recentFirstToken.add(t.firstTokenNanos());
    }
    whole.record(t.totalNanos(), TimeUnit.NANOSECONDS);
    recentWhole.add(t.totalNanos());
    registry
        .counter(
            "ridgeline.requests.finished",
            "finished_reason",
            stats.finishReason().name().toLowerCase(Locale.ROOT))
        .increment();
  }

  /** Time between two tokens of a request, as its client could have seen it. */
  void gap(long nanos) {
    gap.record(nanos, TimeUnit.NANOSECONDS);
    recentGap.add(nanos);
  }

  /** A request was answered. */
  void answered(String route, int status) {
    registry
        .counter("ridgeline.http.requests", "route", route, "status", String.valueOf(status))
        .increment();
    if (status == 429) {
      registry.counter("ridgeline.rejections").increment();
    }
  }

  /** Everything in Prometheus' text form. */
  String scrape() {
    return registry.scrape();
  }

  double generated() {
    return generatedTokens.count();
  }

  double promptTokenCount() {
    return promptTokens.count();
  }

  double cacheHitRatio() {
    return prefixQueried.count() == 0 ? 0 : prefixHit.count() / prefixQueried.count();
  }

  long preemptionCount() {
    return (long) preemptions.count();
  }

  Recent recentFirstToken() {
    return recentFirstToken;
  }

  Recent recentGap() {
    return recentGap;
  }

  Recent recentWhole() {
    return recentWhole;
  }

  @Override
  public void close() {
    gc.close();
    registry.close();
  }

  /** The last values, for percentiles on the page. */
  static final class Recent {
    private static final int KEPT = 2048;
    private final long[] values = new long[KEPT];
    private long count;

    synchronized void add(long value) {
      values[(int) (count++ % KEPT)] = value;
    }

    /** In milliseconds at 0.5, 0.95, 0.99 and 1; empty if there is none. */
    synchronized double[] percentilesMillis() {
      int n = (int) Math.min(count, KEPT);
      long[] sorted = java.util.Arrays.copyOf(values, n);
      java.util.Arrays.sort(sorted);
      if (n == 0) {
        return new double[0];
      }
      return java.util.stream.DoubleStream.of(0.5, 0.95, 0.99, 1)
          .map(p -> sorted[Math.min(n - 1, (int) Math.ceil(p * n) - 1)] / 1e6)
          .toArray();
    }
  }

  /** Leaves names that contain a colon as they are. */
  private record VllmNames(NamingConvention others) implements NamingConvention {
    private static final Set<String> KEPT =
        Set.of(
            "vllm:num_requests_waiting",
            "vllm:num_requests_running",
            "vllm:kv_cache_usage_perc",
            "vllm:cache_config_info");

    @Override
    public String name(String name, Meter.Type type, @Nullable String baseUnit) {
      return KEPT.contains(name) ? name : others.name(name, type, baseUnit);
    }

    @Override
    public String tagKey(String key) {
      return others.tagKey(key);
    }

    @Override
    public String tagValue(String value) {
      return others.tagValue(value);
    }
  }
}
