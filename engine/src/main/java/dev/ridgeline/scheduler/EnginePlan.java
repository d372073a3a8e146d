package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Place;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.kvcache.KvCache;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What loading a model would take, before anything is allocated.
 *
 * @param capacity steps, context and KV blocks
 * @param places which layers run where, and what they take there
 * @param embedderBytes what embedding texts takes besides
 * @param prefixCacheBytes of the KV bytes, how many may hold prefixes that no sequence uses now
 * @param kvTokens tokens that a group without a window has blocks for
 */
public record EnginePlan(
    Capacity capacity,
    List<Place> places,
    long embedderBytes,
    long prefixCacheBytes,
    int kvTokens) {
  /** Small enough that little is lost at the end of a text, large enough for rows to stream. */
  static final int BLOCK_TOKENS = 32;

  private static final int LEAST_AUTO_CONTEXT = 512;

  /** Copies the list. */
  public EnginePlan {
    places = List.copyOf(places);
  }

  /** Bytes by lifetime, on all devices together. */
  public MemoryPlan memory() {
    return places.stream().map(Place::memory).reduce(MemoryPlan.NONE, MemoryPlan::plus);
  }

  /** What the devices could still take. */
  public long availableBytes() {
    return places.stream().mapToLong(Place::availableBytes).sum();
  }

  /** What there is to run: the model, and if texts are to be embedded, its graph for that. */
  record Graphs(Graph model, @Nullable Graph embedder) {}

  /** The plan for {@code graph} alone, without embeddings. */
  public static EnginePlan of(
      Graph graph, int trainedContext, Backend backend, EngineOptions options) {
    return of(new Graphs(graph, null), trainedContext, backend, options);
  }

  /**
   * The plan for {@code graphs}: the largest KV cache up to what {@code options} ask for that fits
   * into the available memory; where they leave the context open, it is halved until it fits.
   *
   * @param trainedContext tokens the model was trained for
   * @throws IllegalArgumentException with the arithmetic, if it cannot fit
   */
  static EnginePlan of(Graphs graphs, int trainedContext, Backend backend, EngineOptions options) {
    boolean auto = options.context() == 0;
    int context = auto ? Math.min(trainedContext, EngineOptions.AUTO_CONTEXT) : options.context();
    EnginePlan plan = largest(graphs, backend, options, context);
    while (!plan.fits() && auto && context / 2 >= LEAST_AUTO_CONTEXT) {
      context /= 2;
      plan = largest(graphs, backend, options, context);
    }
    if (!plan.fits()) {
      throw tooLarge(plan, options);
    }
    return plan;
  }

  /**
   * The plan that fits with most KV, or, if none fits, the one with least. KV gives way before
   * layers leave a fast device for want of room.
   */
  private static EnginePlan largest(
      Graphs graph, Backend backend, EngineOptions options, int context) {
    if (options.kvTokens() != 0) {
      return of(graph, backend, options, context, options.kvTokens());
    }
    long most = (long) context * options.parallel();
    int kvTokens = (int) Math.min(most, Integer.MAX_VALUE - BLOCK_TOKENS);
    EnginePlan plan = of(graph, backend, options, context, kvTokens);
    while ((!plan.fits() || plan.isSpilled()) && kvTokens > context) {
      kvTokens = Math.max(context, kvTokens / 2);
      plan = of(graph, backend, options, context, kvTokens);
    }
    return plan;
  }

  private static EnginePlan of(
      Graphs graphs, Backend backend, EngineOptions options, int context, int kvTokens) {
    Graph graph = graphs.model;
    if (kvTokens < context) {
      throw new IllegalArgumentException(
          "kvTokens: expected at least the context of %d, found %d".formatted(context, kvTokens));
    }
    int batch = Math.max(options.batchTokens(), options.parallel());
    var blocks = new ArrayList<Integer>();
    int all = Math.ceilDiv(kvTokens, BLOCK_TOKENS);
    for (int window : graph.kvGroups()) {
      blocks.add(window == 0 ? all : windowBlocks(all, window, batch, options));
    }
    var capacity =
        new Capacity(
            batch,
            options.parallel(),
            options.parallel(),
            context,
            BLOCK_TOKENS,
            blocks,
            options.kvType());
    List<Place> places = backend.places(graph, capacity);
    long kvBytes = places.stream().mapToLong(p -> p.memory().kvBytes()).sum();
    return new EnginePlan(
        capacity,
        places,
        graphs.embedder == null ? 0 : embedderBytes(graphs.embedder, backend, capacity),
        Math.min(options.prefixCacheBytes(), kvBytes),
        kvTokens);
  }

  private static long embedderBytes(Graph embedder, Backend backend, Capacity engine) {
    MemoryPlan plan = backend.plan(embedder, Embedder.capacity(embedder, engine));
    return plan.totalBytes() - (backend.readsWeightsInPlace() ? plan.weightBytes() : 0);
  }

  /** What all sequences can hold, and with a prefix cache as much again for ended ones. */
  private static int windowBlocks(int all, int window, int batch, EngineOptions options) {
    long most = KvCache.windowBlocks(window, batch, BLOCK_TOKENS);
    long wanted = most * options.parallel() * (options.prefixCacheBytes() > 0 ? 2 : 1);
    return (int) Math.max(most, Math.min(wanted, all));
  }

  private boolean fits() {
    return places.stream().allMatch(Place::fits) && embedderFits();
  }

  private boolean embedderFits() {
    long all = memory().totalBytes() + embedderBytes;
    return embedderBytes == 0 || Place.fits(all, availableBytes());
  }

  private boolean isSpilled() {
    return places.stream().anyMatch(p -> p.kind() == Place.Kind.SPILLED);
  }

  private static IllegalArgumentException tooLarge(EnginePlan plan, EngineOptions options) {
    Place full =
        plan.places.stream().filter(p -> !p.fits()).findFirst().orElse(plan.places.getFirst());
    return new IllegalArgumentException(
        "the model does not fit: %s, of which a tenth stays free. Use a smaller"
                .formatted(full.describe(plan.kvTokens))
            + " context (%d), fewer parallel sequences (%d), the KV type q8_0, %sor a smaller model"
                .formatted(
                    plan.capacity.maxContext(),
                    options.parallel(),
                    plan.places.size() > 1 || options.backendOptions().gpuLayers() > 0
                        ? "fewer --gpu-layers, "
                        : ""));
  }

  /** Groups as the KV books want them. */
  List<KvCache.Group> kvGroups(Graph graph) {
    double share = (double) prefixCacheBytes / Math.max(1, memory().kvBytes());
    var groups = new ArrayList<KvCache.Group>();
    for (int i = 0; i < capacity.kvBlocks().size(); i++) {
      int blocks = capacity.kvBlocks().get(i);
      // The same share of each group, rounded down: together no more than the bytes.
      groups.add(new KvCache.Group(graph.kvGroups().get(i), blocks, (int) (share * blocks)));
    }
    return groups;
  }

  /** One line for people. */
  @Override
  public String toString() {
    return ("%s%s; context %d, %d sequence%s, steps of up to %d tokens, up to %s of the KV cache"
            + " for prefixes")
        .formatted(
            places.stream().map(p -> p.describe(kvTokens)).collect(Collectors.joining("; ")),
            embedderBytes == 0 ? "" : "; embedder " + MemoryPlan.size(embedderBytes),
            capacity.maxContext(),
            capacity.maxSequences(),
            capacity.maxSequences() == 1 ? "" : "s",
            capacity.maxTokens(),
            MemoryPlan.size(prefixCacheBytes));
  }
}
