package dev.ridgeline.scheduler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * How a model is loaded. All memory follows from this and the model, and is allocated once.
 *
 * @param backend name of a {@link dev.ridgeline.backend.BackendProvider}, or {@link Backends#AUTO}
 * @param backendOptions threads, device
 * @param context most tokens of a sequence, prompt and answer; 0 = what the model was trained for,
 *     but at most {@link #AUTO_CONTEXT}, and less if memory is short
 * @param parallel sequences that run at the same time
 * @param kvTokens tokens for which there are KV blocks, shared by all sequences and the prefix
 *     cache; 0 = context * parallel, or less if memory is short
 * @param kvType element type of the KV cache
 * @param batchTokens tokens computed in one step at most
 * @param prefixCacheBytes of the KV cache that blocks of finished requests may keep for prompts
 *     that begin alike: 0 = none; more than there are = all of them, as long as nobody needs them
 * @param embeddings whether texts can be embedded, too: takes activations and KV for one more
 *     sequence
 * @param maxGap how long a step may take for the sake of prompts while others are generating
 * @param listeners who hears of steps and requests
 * @param onPlan is told what will be allocated before any of it is
 * @param onLoad is told how much of the weights has been read
 */
public record EngineOptions(
    String backend,
    BackendOptions backendOptions,
    int context,
    int parallel,
    int kvTokens,
    KvType kvType,
    int batchTokens,
    long prefixCacheBytes,
    boolean embeddings,
    Duration maxGap,
    List<EngineListener> listeners,
    Consumer<EnginePlan> onPlan,
    GgufFile.Progress onLoad) {

  /** Longer contexts must be asked for: 8,192 tokens of a model of 8 B take a gigabyte. */
  public static final int AUTO_CONTEXT = 8192;

  /** The best backend, 4 sequences of the model's context. */
  public static final EngineOptions DEFAULTS =
      new EngineOptions(
          Backends.AUTO,
          BackendOptions.DEFAULTS,
          0,
          4,
          0,
          KvType.F16,
          512,
          Long.MAX_VALUE,
          false,
          Duration.ofMillis(50),
          List.of(),
          _ -> {},
          (_, _) -> {});

  private static final int MAX_PARALLEL = 4096;
  private static final int MAX_BATCH = 1 << 16;

  /** Checks every range. */
  public EngineOptions {
    require(context >= 0, "context", "0 or more", context);
    require(
        parallel >= 1 && parallel <= MAX_PARALLEL, "parallel", "1 to " + MAX_PARALLEL, parallel);
    require(kvTokens >= 0, "kvTokens", "0 or more", kvTokens);
    require(
        batchTokens >= 1 && batchTokens <= MAX_BATCH,
        "batchTokens",
        "1 to " + MAX_BATCH,
        batchTokens);
    require(prefixCacheBytes >= 0, "prefixCacheBytes", "0 or more", prefixCacheBytes);
    require(!maxGap.isNegative(), "maxGap", "0 or more", maxGap);
    listeners = List.copyOf(listeners);
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return DEFAULTS.toBuilder();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Collects values; the record checks them. */
  public static final class Builder {
    private String backend;
    private BackendOptions backendOptions;
    private int context;
    private int parallel;
    private int kvTokens;
    private KvType kvType;
    private int batchTokens;
    private long prefixCacheBytes;
    private boolean embeddings;
    private Duration maxGap;
    private List<EngineListener> listeners;
    private Consumer<EnginePlan> onPlan;
    private GgufFile.Progress onLoad;

    private Builder(EngineOptions from) {
      backend = from.backend;
      backendOptions = from.backendOptions;
      context = from.context;
      parallel = from.parallel;
      kvTokens = from.kvTokens;
      kvType = from.kvType;
      batchTokens = from.batchTokens;
      prefixCacheBytes = from.prefixCacheBytes;
      embeddings = from.embeddings;
      maxGap = from.maxGap;
      listeners = from.listeners;
      onPlan = from.onPlan;
      onLoad = from.onLoad;
    }

    /** {@link EngineOptions#backend()}. */
    public Builder backend(String value) {
      backend = value;
      return this;
    }

    /** {@link EngineOptions#backendOptions()}. */
    public Builder backendOptions(BackendOptions value) {
      backendOptions = value;
      return this;
    }

    /** {@link EngineOptions#context()}. */
    public Builder context(int value) {
      context = value;
      return this;
    }

    /** {@link EngineOptions#parallel()}. */
    public Builder parallel(int value) {
      parallel = value;
      return this;
    }

    /** {@link EngineOptions#kvTokens()}. */
    public Builder kvTokens(int value) {
      kvTokens = value;
      return this;
    }

    /** {@link EngineOptions#kvType()}. */
    public Builder kvType(KvType value) {
      kvType = value;
      return this;
    }

    /** {@link EngineOptions#batchTokens()}. */
    public Builder batchTokens(int value) {
      batchTokens = value;
      return this;
    }

    /** {@link EngineOptions#prefixCacheBytes()}. */
    public Builder prefixCacheBytes(long value) {
      prefixCacheBytes = value;
      return this;
    }

    /** {@link EngineOptions#embeddings()}. */
    public Builder embeddings(boolean value) {
      embeddings = value;
      return this;
    }

    /** {@link EngineOptions#maxGap()}. */
    public Builder maxGap(Duration value) {
      maxGap = value;
      return this;
    }

    /** {@link EngineOptions#listeners()}. */
    public Builder listeners(EngineListener... value) {
      listeners = List.of(value);
      return this;
    }

    /** {@link EngineOptions#onPlan()}. */
    public Builder onPlan(Consumer<EnginePlan> value) {
      onPlan = value;
      return this;
    }

    /** {@link EngineOptions#onLoad()}. */
    public Builder onLoad(GgufFile.Progress value) {
      onLoad = value;
      return this;
    }

    /** The finished record. */
    public EngineOptions build() {
      return new EngineOptions(
          backend,
          backendOptions,
          context,
          parallel,
          kvTokens,
          kvType,
          batchTokens,
          prefixCacheBytes,
          embeddings,
          maxGap,
          listeners,
          onPlan,
          onLoad);
    }
  }
}
