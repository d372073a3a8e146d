package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.reference.ReferenceBackend;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.TokenStream.Completion;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The same with a real model, whose second layer has a window: all log-probabilities, bit by bit,
 * since the reference computes each token of a step by itself.
 */
class CachedLogitsTest {
  private static final int BLOCK = 8;
  private static final int CONTEXT = 96;
  private static final int STEP = 24;

  private final TinyModel model = new TinyModel(DType.F32);

  private EngineCore core(ReferenceBackend backend, List<Executable> opened, int blocks) {
    var groups = new ArrayList<KvCache.Group>();
    var counts = new ArrayList<Integer>();
    for (int window : model.graph.kvGroups()) {
      groups.add(new KvCache.Group(window, blocks, blocks));
      counts.add(blocks);
    }
    var capacity = new Capacity(STEP, 3, 3, CONTEXT, BLOCK, counts, KvType.F16);
    Executable executable = backend.compile(model.graph, model.weights(), capacity);
    opened.add(executable);
    var settings = new StepLoop.Settings(0, List.of());
    return new EngineCore(executable, Letters.tokenizer(), groups, settings);
  }

  private static int[] prompt(long seed, int length) {
    return new Random(seed).ints(length, Letters.A, Letters.SIZE).toArray();
  }

  private static GenerateParams params(long seed) {
    return GenerateParams.builder()
        .sampling(SamplingParams.builder().seed(seed).topLogprobs(Letters.SIZE).build())
        .maxTokens(40)
        .ignoreEos(true)
        .build();
  }

  private static void assertSame(Completion found, Completion expected) {
    assertThat(found.tokens()).hasSameSizeAs(expected.tokens());
    for (int i = 0; i < found.tokens().size(); i++) {
      assertThat(found.tokens().get(i))
          .usingRecursiveComparison()
          .isEqualTo(expected.tokens().get(i));
    }
  }

  @Test
  void decodeAfterEvictionGivesTheSameLogits() {
    var opened = new ArrayList<Executable>();
    try (var backend = new ReferenceBackend();
        EngineCore roomy = core(backend, opened, 100);
        EngineCore tight = core(backend, opened, 14)) {
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < 3; i++) {
        streams.add(tight.generate(prompt(i, 30), params(i)));
      }
      int preemptions = 0;
      for (int i = 0; i < 3; i++) {
        Completion found = streams.get(i).collect();
        assertSame(found, roomy.generate(prompt(i, 30), params(i)).collect());
        preemptions += found.stats().preemptions();
      }
      assertThat(preemptions).isPositive();
    } finally {
      opened.forEach(Executable::close);
    }
  }

  @Test
  void aCacheHitGivesTheSameLogitsAsAMiss() {
    var opened = new ArrayList<Executable>();
    try (var backend = new ReferenceBackend();
        EngineCore core = core(backend, opened, 100)) {
      Completion miss = core.generate(prompt(1, 50), params(1)).collect();
      Completion hit = core.generate(prompt(1, 50), params(1)).collect();
      assertThat(hit.stats().cachedTokens()).isEqualTo(48);
      assertSame(hit, miss);
    } finally {
      opened.forEach(Executable::close);
    }
  }
}
