package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The arithmetic, on a device of a given size whose plans are weights and KV alone. */
class EnginePlanTest {
  private final Graph graph = new TinyModel(DType.F32).graph;
  private final long weights = MemoryPlan.weightBytes(graph);

  /** K and V of both layers: 2 heads of 32, 2 bytes; the second layer has a window. */
  private static final long KV_BYTES_PER_TOKEN = 2 * 2 * 32 * 2;

  private record Device(long availableBytes) implements Backend {
    @Override
    public String name() {
      return "device";
    }

    @Override
    public String description() {
      return "a device of " + availableBytes + " bytes";
    }

    @Override
    public MemoryPlan plan(Graph graph, Capacity capacity) {
      return new MemoryPlan(
          MemoryPlan.weightBytes(graph), 0, MemoryPlan.kvBytes(graph, capacity), 0, 0);
    }

    @Override
    public Executable compile(Graph graph, Weights weights, Capacity capacity) {
      throw new UnsupportedOperationException("plans only");
    }

    @Override
    public int threads() {
      return 1;
    }

    @Override
    public MachineLimits measureLimits() {
      throw new UnsupportedOperationException("plans only");
    }

    @Override
    public List<Degradation> degradations() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  private EnginePlan plan(long forKv, EngineOptions options) {
    long available = (long) Math.ceil((weights + forKv) / 0.9) + 1;
    return EnginePlan.of(graph, 4096, new Device(available), options);
  }

  private static EngineOptions.Builder options() {
    return EngineOptions.builder().batchTokens(64).parallel(4);
  }

  @Test
  void withRoomEverySequenceHasItsContext() {
    EnginePlan plan = plan(1L << 40, options().build());
    assertThat(plan.capacity().maxContext()).isEqualTo(4096);
    assertThat(plan.kvTokens()).isEqualTo(4 * 4096);
    assertThat(plan.capacity().kvBlocks().getFirst()).isEqualTo(4 * 4096 / 32);
    assertThat(plan.capacity().maxOutputs()).isEqualTo(4);
    EnginePlan longer = EnginePlan.of(graph, 100_000, new Device(1L << 40), options().build());
    assertThat(longer.capacity().maxContext()).isEqualTo(EngineOptions.AUTO_CONTEXT);
  }

  @Test
  void aGroupWithAWindowHasWhatItsSequencesCanHoldAndAsMuchForTheCache() {
    int most = KvCache.windowBlocks(TinyModel.WINDOW, 64, EnginePlan.BLOCK_TOKENS);
    assertThat(plan(1L << 40, options().build()).capacity().kvBlocks().get(1))
        .isEqualTo(2 * 4 * most);
    assertThat(plan(1L << 40, options().prefixCacheBytes(0).build()).capacity().kvBlocks().get(1))
        .isEqualTo(4 * most);
  }

  @Test
  void withLessRoomSequencesShareAndThenTheContextShrinks() {
    EngineOptions options = options().build();
    long windowed = 8L * 4 * 32 * KV_BYTES_PER_TOKEN;
    EnginePlan shared = plan(2 * 4096 * KV_BYTES_PER_TOKEN + windowed, options);
    assertThat(shared.capacity().maxContext()).isEqualTo(4096);
    assertThat(shared.kvTokens()).isEqualTo(2 * 4096);
    EnginePlan shrunk = plan(1024 * KV_BYTES_PER_TOKEN + windowed, options);
    assertThat(shrunk.capacity().maxContext()).isEqualTo(1024);
    assertThat(shrunk.kvTokens()).isEqualTo(1024);
    assertThatThrownBy(() -> plan(100 * KV_BYTES_PER_TOKEN, options))
        .hasMessageContaining("KV")
        .hasMessageContaining("(512 tokens)");
  }

  @Test
  void whatWasAskedForIsNotShrunk() {
    long room = 2000 * KV_BYTES_PER_TOKEN;
    assertThatThrownBy(() -> plan(room, options().context(4096).build()))
        .hasMessageContaining("(4096 tokens)")
        .hasMessageContaining("a smaller context (4096)");
    assertThatThrownBy(() -> plan(room, options().context(512).kvTokens(8192).build()))
        .hasMessageContaining("(8192 tokens)");
  }

  @Test
  void everyPlanLetsTheLongestSequenceRunAlone() {
    for (int parallel : List.of(1, 2, 7, 100)) {
      for (int batch : List.of(1, 33, 512)) {
        EnginePlan plan =
            plan(1L << 40, options().parallel(parallel).batchTokens(batch).context(777).build());
        var kv = new KvCache(EnginePlan.BLOCK_TOKENS, plan.kvGroups(graph));
        var table = kv.newTable();
        int[] tokens = new int[777];
        int step = plan.capacity().maxTokens();
        assertThat(kv.fits(table, 777, step)).isTrue();
        for (int count = 0; count < 777; ) {
          count = Math.min(777, count + step);
          assertThat(kv.reserve(table, count)).isTrue();
          kv.commit(table, tokens, count);
        }
      }
    }
  }

  @Test
  void prefixesKeepWithinTheirBytesWhichThePlanCounts() {
    for (long cap : List.of(0L, 1L, 100_000L, 1_000_000L, 1L << 40)) {
      EnginePlan plan = plan(1L << 40, options().context(1024).prefixCacheBytes(cap).build());
      assertThat(plan.prefixCacheBytes()).isEqualTo(Math.min(cap, plan.memory().kvBytes()));
      assertThat(plan.toString()).contains("of the KV cache for prefixes");
      var kv = new KvCache(EnginePlan.BLOCK_TOKENS, plan.kvGroups(graph));
      int most = 0;
      for (int text = 0; text < 60; text++) {
        var table = kv.newTable();
        int[] tokens = new int[500];
        Arrays.fill(tokens, text);
        for (int count = 50; count <= tokens.length; count += 50) {
          assertThat(kv.reserve(table, count)).isTrue();
          kv.commit(table, tokens, count);
          assertThat(cachedBytes(plan, kv)).isLessThanOrEqualTo(cap);
        }
        kv.release(table);
        assertThat(cachedBytes(plan, kv)).isLessThanOrEqualTo(cap);
        most = Math.max(most, kv.cached(0));
      }
      assertThat(kv.inUse(0) + kv.inUse(1)).isZero();
      assertThat(most > 0).as("a cap of %d", cap).isEqualTo(cap >= 100_000);
      if (cap >= 1_000_000) {
        assertThat(found(kv, 59)).as("the last text").isEqualTo(15 * EnginePlan.BLOCK_TOKENS);
        assertThat(found(kv, 0)).as("the first one went").isZero();
        assertThat(kv.evictions()).isPositive();
      }
    }
  }

  private static int found(KvCache kv, int text) {
    int[] tokens = new int[500];
    Arrays.fill(tokens, text);
    return kv.reuse(kv.newTable(), 0, tokens, 499);
  }

  /** Both groups have one layer. */
  private static long cachedBytes(EnginePlan plan, KvCache kv) {
    long perBlock = EnginePlan.BLOCK_TOKENS * KV_BYTES_PER_TOKEN;
    long blocks = plan.capacity().kvBlocks().stream().mapToInt(Integer::intValue).sum();
    assertThat(plan.memory().kvBytes()).as("cached or not").isEqualTo(blocks * perBlock);
    return (kv.cached(0) + kv.cached(1)) * perBlock;
  }
}
