package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SamplingParams.Dry;
import dev.ridgeline.sampler.SamplingParams.Mirostat;
import dev.ridgeline.sampler.SamplingParams.Penalties;
import dev.ridgeline.scheduler.CoreHarness.Shape;
import dev.ridgeline.scheduler.TokenStream.Completion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What runs beside a request, and how it got its KV blocks, does not change its text. */
class BatchingTest {
  private record Work(int[] prompt, GenerateParams params) {}

  /** A few beginnings that many prompts share, and every way to sample. */
  private static List<Work> work(long seed, int count) {
    var random = new Random(seed);
    int[][] beginnings = new int[3][];
    Arrays.setAll(beginnings, _ -> random.ints(30, Letters.A, Letters.SIZE).toArray());
    var work = new ArrayList<Work>();
    for (int i = 0; i < count; i++) {
      int shared = random.nextInt(31);
      int own = 1 + random.nextInt(8);
      int[] prompt = Arrays.copyOf(beginnings[random.nextInt(3)], shared + own);
      for (int p = shared; p < prompt.length; p++) {
        prompt[p] = random.nextInt(Letters.A, Letters.SIZE);
      }
      work.add(new Work(prompt, params(random)));
    }
    return work;
  }

  private static GenerateParams params(Random random) {
    SamplingParams.Builder sampling =
        SamplingParams.builder().seed(random.nextLong()).temperature(random.nextFloat() * 1.5f);
    switch (random.nextInt(5)) {
      case 0 -> sampling.temperature(0);
      case 1 -> sampling.mirostat(new Mirostat(2, 0.2f));
      case 2 -> sampling.penalties(new Penalties(20, 1.3f, 0.2f, 0.1f)).topLogprobs(2);
      case 3 -> sampling.dry(new Dry(0.8f, 1.75f, 1, -1, List.of("a"))).topK(0);
      default -> sampling.minP(0);
    }
    return GenerateParams.builder()
        .sampling(sampling.build())
        .maxTokens(random.nextBoolean() ? -1 : 1 + random.nextInt(40))
        .stop("ab", "xyz", "q")
        .ignoreEos(random.nextBoolean())
        .build();
  }

  private static List<Completion> alone(List<Work> all) {
    var results = new ArrayList<Completion>();
    for (Work work : all) {
      try (var fresh = new CoreHarness(Shape.ROOMY)) {
        results.add(fresh.complete(work.prompt, work.params));
      }
    }
    return results;
  }

  private static void assertSame(Completion found, Completion expected) {
    assertThat(found.ids()).isEqualTo(expected.ids());
    assertThat(found.text()).isEqualTo(expected.text());
    assertThat(found.stats().finishReason()).isEqualTo(expected.stats().finishReason());
    for (int i = 0; i < found.tokens().size(); i++) {
      assertThat(found.tokens().get(i))
          .usingRecursiveComparison()
          .isEqualTo(expected.tokens().get(i));
    }
  }

  @Property(tries = 40)
  void aBatchGivesWhatSingleRunsGive(@ForAll long seed) {
    var random = new Random(seed);
    List<Work> all = work(seed, 12);
    // Windows of the second group change what is visible, so both sides must have them.
    var shape =
        new Shape(
            List.of(0),
            1 + random.nextInt(8),
            8 + random.nextInt(24),
            CoreHarness.CONTEXT / CoreHarness.BLOCK + random.nextInt(40),
            random.nextInt(4) > 0);
    List<Completion> expected = alone(all);
    try (var together = new CoreHarness(shape)) {
      List<TokenStream> streams =
          all.stream().map(w -> together.core.generate(w.prompt, w.params)).toList();
      for (int i = 0; i < all.size(); i++) {
        assertSame(streams.get(i).collect(), expected.get(i));
      }
      assertThat(together.core.status().kvUsage()).isZero();
    }
  }

  @Property(tries = 25)
  void slidingWindowsDoNotChangeThatWhateverIsCached(@ForAll long seed) {
    var random = new Random(seed);
    List<Work> all = work(seed, 10);
    List<Integer> windows =
        random.nextBoolean() ? List.of(0, 1 + random.nextInt(20)) : List.of(1 + random.nextInt(20));
    var roomy = new Shape(windows, 8, 32, 300, false);
    var tight = new Shape(windows, 4, 8 + random.nextInt(24), 20 + random.nextInt(10), true);
    try (var together = new CoreHarness(tight);
        var alone = new CoreHarness(roomy)) {
      List<TokenStream> streams =
          all.stream().map(w -> together.core.generate(w.prompt, w.params)).toList();
      for (int i = 0; i < all.size(); i++) {
        Work w = all.get(i);
        assertSame(streams.get(i).collect(), alone.complete(w.prompt, w.params));
      }
    }
  }

  @Property(tries = 25)
  void theLargestLogitsGiveTheTextsOfAllLogits(@ForAll long seed) {
    var random = new Random(seed);
    try (var top = new CoreHarness(Shape.ROOMY);
        var whole = new CoreHarness(Shape.ROOMY)) {
      top.executable.leastTop = 1 + random.nextInt(20);
      for (Work w : work(seed, 10)) {
        SamplingParams.Builder sampling =
            w.params.sampling().toBuilder().topK(1 + random.nextInt(20));
        if (random.nextBoolean()) {
          sampling.minP(0.02f).topP(0.9f);
        }
        if (random.nextInt(3) == 0) {
          sampling.logitBias(Map.of(random.nextInt(Letters.SIZE), Float.NEGATIVE_INFINITY));
        }
        GenerateParams params = w.params.toBuilder().sampling(sampling.build()).build();
        assertSame(top.complete(w.prompt, params), whole.complete(w.prompt, params));
      }
      assertThat(whole.executable.tops.get()).isZero();
    }
  }

  @Test
  void whoSamplesFromTheLargestLogitsNeedsNoOthers() {
    SamplingParams sampling = SamplingParams.builder().topK(10).seed(1L).build();
    GenerateParams params =
        GenerateParams.builder().sampling(sampling).maxTokens(20).ignoreEos(true).build();
    try (var harness = new CoreHarness(Shape.ROOMY)) {
      harness.executable.leastTop = 12;
      harness.executable.beforeLogits = () -> assertThat(false).as("a row was read").isTrue();
      assertThat(harness.complete(Letters.ids("prompt"), params).ids()).hasSize(20);
      assertThat(harness.executable.tops.get()).isEqualTo(20);
    }
  }

  @Test
  void aCacheHitGivesTheSameTextAsAMiss() {
    GenerateParams params = params(new Random(1)).toBuilder().maxTokens(20).build();
    int[] prompt = new Random(2).ints(33, Letters.A, Letters.SIZE).toArray();
    try (var harness = new CoreHarness(Shape.ROOMY)) {
      Completion miss = harness.complete(prompt, params);
      Completion hit = harness.complete(prompt, params);
      assertSame(hit, miss);
      assertThat(miss.stats().cachedTokens()).isZero();
      assertThat(hit.stats().cachedTokens()).isEqualTo(32);
      Completion otherSalt =
          harness.complete(
              prompt,
              params.toBuilder().scheduling(new GenerateParams.Scheduling(0, "", 1, null)).build());
      assertThat(otherSalt.stats().cachedTokens()).isZero();
      assertSame(otherSalt, miss);
    }
  }

  @Test
  void aPreemptedSequenceGivesTheSameText() {
    List<Work> all =
        work(3, 4).stream()
            .map(w -> new Work(w.prompt, w.params.toBuilder().stop().ignoreEos(true).build()))
            .toList();
    List<Completion> expected = alone(all);
    int preemptions = 0;
    Queue<StepStats> steps;
    try (var tight = new CoreHarness(Shape.ROOMY.withBlocks(20))) {
      steps = tight.steps;
      var allCame = new CountDownLatch(1);
      tight.executable.beforeStep = _ -> uninterrupted(allCame);
      List<TokenStream> streams =
          all.stream().map(w -> tight.core.generate(w.prompt, w.params)).toList();
      allCame.countDown();
      for (int i = 0; i < all.size(); i++) {
        Completion found = streams.get(i).collect();
        assertSame(found, expected.get(i));
        preemptions += found.stats().preemptions();
      }
      assertThat(streams.get(0).stats().preemptions()).as("of the oldest").isZero();
    }
    assertThat(preemptions).isPositive();
    assertThat(steps.stream().mapToInt(StepStats::preempted).sum()).isEqualTo(preemptions);
  }

  private static void uninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 8, 31, 64})
  void howAPromptIsCutIntoStepsDoesNotMatter(int stepTokens) {
    Work w = work(9, 1).getFirst();
    int[] prompt = new Random(2).ints(47, Letters.A, Letters.SIZE).toArray();
    try (var whole = new CoreHarness(Shape.ROOMY.withStepTokens(64));
        var cut = new CoreHarness(Shape.ROOMY.withSequences(1).withStepTokens(stepTokens))) {
      assertSame(cut.complete(prompt, w.params), whole.complete(prompt, w.params));
      int prefillSteps = (47 + stepTokens - 1) / stepTokens;
      assertThat(cut.steps.stream().filter(s -> s.sampled() == 0)).hasSize(prefillSteps - 1);
    }
  }

  /** Cancelled at any moment, too: nothing stays behind. */
  @Test
  void aThousandRequestsLeaveThePoolsAsTheyWere() {
    var random = new Random(7);
    try (var harness = new CoreHarness(new Shape(List.of(0, 10), 8, 32, 40, true))) {
      var streams = new ArrayList<TokenStream>();
      for (Work w : work(7, 1000)) {
        streams.add(harness.core.generate(w.prompt, w.params));
        if (random.nextInt(3) == 0) {
          streams.get(random.nextInt(streams.size())).cancel();
        }
      }
      for (TokenStream stream : streams) {
        assertThat(stream.stats().finishReason())
            .isIn(FinishReason.STOP, FinishReason.LENGTH, FinishReason.CANCELLED);
      }
      EngineStatus status = harness.core.status();
      assertThat(status.kvUsage()).isZero();
      assertThat(status.running()).isZero();
      assertThat(status.waiting()).isZero();
      assertThat(harness.finished).hasSize(1000);
    }
  }

  @Test
  void theSameSeedGivesTheSameTextAndAnotherSeedAnother() {
    int[] prompt = Letters.ids("hello");
    GenerateParams seeded =
        GenerateParams.builder()
            .sampling(SamplingParams.builder().seed(5L).build())
            .maxTokens(30)
            .ignoreEos(true)
            .build();
    GenerateParams other =
        seeded.toBuilder().sampling(SamplingParams.builder().seed(6L).build()).build();
    GenerateParams random = seeded.toBuilder().sampling(SamplingParams.DEFAULTS).build();
    try (var harness = new CoreHarness(Shape.ROOMY)) {
      Completion first = harness.complete(prompt, seeded);
      assertSame(harness.complete(prompt, seeded), first);
      assertThat(harness.complete(prompt, other).ids()).isNotEqualTo(first.ids());
      Completion unseeded = harness.complete(prompt, random);
      long seed = unseeded.stats().seed();
      GenerateParams again =
          seeded.toBuilder().sampling(SamplingParams.builder().seed(seed).build()).build();
      assertSame(harness.complete(prompt, again), unseeded);
    }
  }
}
