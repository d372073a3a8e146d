package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.CoreHarness.Shape;
import dev.ridgeline.scheduler.TokenStream.Completion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steps that are started before the tokens of the one before are known change no text. */
@Timeout(120)
class AheadTest {
  private static final GenerateParams GREEDY =
      GenerateParams.builder().sampling(SamplingParams.GREEDY).ignoreEos(true).build();

  private static CoreHarness ahead(Shape shape) {
    var harness = new CoreHarness(shape);
    harness.executable.runsAhead = true;
    harness.executable.leastTop = 12;
    return harness;
  }

  private record Work(int[] prompt, GenerateParams params) {}

  /** Mostly greedy; stops by text, by token, by length, and tokens that are forbidden. */
  private static List<Work> work(Random random, int count) {
    int[] shared = random.ints(20, Letters.A, Letters.SIZE).toArray();
    var all = new ArrayList<Work>();
    for (int i = 0; i < count; i++) {
      int[] prompt = Arrays.copyOf(shared, 1 + random.nextInt(20));
      prompt[prompt.length - 1] = random.nextInt(Letters.A, Letters.SIZE);
      SamplingParams.Builder sampling = SamplingParams.GREEDY.toBuilder();
      switch (random.nextInt(6)) {
        case 0 -> sampling.temperature(1).topK(random.nextInt(12)).seed((long) i);
        case 3 -> sampling.temperature(0.7f).topK(8).topP(0.9f).minP(0.02f).seed((long) i);
        case 1 -> sampling.topLogprobs(1);
        case 2 -> {
          int forbidden = random.nextInt(Letters.SIZE);
          sampling.logitBias(Map.of(forbidden, Float.NEGATIVE_INFINITY));
        }
        default -> {}
      }
      all.add(
          new Work(
              prompt,
              GenerateParams.builder()
                  .sampling(sampling.build())
                  .maxTokens(random.nextBoolean() ? -1 : 1 + random.nextInt(30))
                  .stop("ab", "q")
                  .stopTokens(Set.of(Letters.A + random.nextInt(26)))
                  .ignoreEos(random.nextBoolean())
                  .build()));
    }
    return all;
  }

  @Property(tries = 60)
  void textsAreThoseOfOneStepAfterTheOther(@ForAll long seed) {
    var random = new Random(seed);
    List<Integer> windows = random.nextBoolean() ? List.of(0) : List.of(0, 1 + random.nextInt(20));
    var shape =
        new Shape(
            windows,
            1 + random.nextInt(6),
            8 + random.nextInt(24),
            CoreHarness.CONTEXT / CoreHarness.BLOCK + 4 + random.nextInt(40),
            random.nextInt(4) > 0);
    List<Work> all = work(random, 10);
    int wrongEvery = random.nextBoolean() ? Integer.MAX_VALUE : 1 + random.nextInt(6);
    try (var one = new CoreHarness(new Shape(windows, 1, 32, 200, false));
        var many = ahead(shape)) {
      many.executable.wrongEvery = wrongEvery;
      var streams = new ArrayList<TokenStream>();
      for (Work w : all) {
        streams.add(many.core.generate(w.prompt, w.params));
      }
      List<Integer> cancelled = List.of(random.nextInt(10), random.nextInt(10));
      cancelled.forEach(i -> streams.get(i).cancel());
      for (int i = 0; i < all.size(); i++) {
        Completion expected = one.complete(all.get(i).prompt, all.get(i).params);
        Completion found = streams.get(i).collect();
        if (found.stats().finishReason() == FinishReason.CANCELLED) {
          assertThat(cancelled).contains(i);
          assertThat(expected.text()).startsWith(found.text());
        } else {
          assertThat(found.ids()).isEqualTo(expected.ids());
          assertThat(found.text()).isEqualTo(expected.text());
          assertThat(found.stats().finishReason()).isEqualTo(expected.stats().finishReason());
        }
      }
      assertThat(many.core.status().kvUsage()).isZero();
      assertThat(many.core.status().running()).isZero();
    }
  }

  @Test
  void everyStepButTheFirstIsStartedAhead() {
    Queue<StepStats> steps;
    try (var harness = ahead(Shape.ROOMY)) {
      steps = harness.steps;
      Completion done =
          harness.complete(Letters.ids("prompt"), GREEDY.toBuilder().maxTokens(20).build());
      assertThat(done.ids()).hasSize(20).doesNotContain(Letters.EOS);
      assertThat(harness.executable.startedAhead.get()).isGreaterThanOrEqualTo(19 - 2);
    }
    assertThat(steps.stream().mapToInt(StepStats::sampled).sum()).isEqualTo(20);
  }

  @Test
  void piecesOfAPromptAreStartedAhead() {
    GenerateParams params = GREEDY.toBuilder().maxTokens(4).build();
    int[] prompt = new Random(1).ints(50, Letters.A, Letters.SIZE).toArray();
    Completion expected;
    try (var harness = new CoreHarness(Shape.ROOMY.withStepTokens(8))) {
      expected = harness.complete(prompt, params);
    }
    try (var harness = ahead(Shape.ROOMY.withStepTokens(8))) {
      assertThat(harness.complete(prompt, params).ids()).isEqualTo(expected.ids());
      assertThat(harness.executable.startedAhead.get())
          .as("six pieces after the first, and three tokens")
          .isBetween(8, 9);
    }
  }

  @Test
  void drawnTextsAreComputedAheadAndWrongGuessesCostAStep() {
    var drawn = SamplingParams.DEFAULTS.toBuilder().topK(10).seed(7L).build();
    GenerateParams params = GREEDY.toBuilder().sampling(drawn).maxTokens(20).build();
    var texts = new HashSet<List<Integer>>();
    for (int wrongEvery : List.of(Integer.MAX_VALUE, 3)) {
      var harness = ahead(Shape.ROOMY);
      try (harness) {
        harness.executable.wrongEvery = wrongEvery;
        texts.add(
            IntStream.of(harness.complete(Letters.ids("prompt"), params).ids()).boxed().toList());
        assertThat(harness.executable.startedAhead.get()).isGreaterThanOrEqualTo(17);
      }
      int dropped = (int) harness.steps.stream().filter(s -> s.sampled() == 0).count();
      assertThat(dropped).isBetween(wrongEvery == 3 ? 6 : 0, wrongEvery == 3 ? 11 : 1);
    }
    assertThat(texts).hasSize(1);
    assertThat(texts.iterator().next()).hasSize(20);
  }

  @Test
  void textsThatNoDeviceCanGuessAreNotComputedAhead() {
    try (var harness = ahead(Shape.ROOMY)) {
      for (SamplingParams sampling :
          List.of(
              SamplingParams.DEFAULTS.toBuilder().topK(40).build(),
              SamplingParams.DEFAULTS.toBuilder().topK(0).build(),
              SamplingParams.DEFAULTS.toBuilder().topK(5).logitBias(Map.of(5, 1f)).build(),
              SamplingParams.DEFAULTS.toBuilder()
                  .topK(5)
                  .xtc(new SamplingParams.Xtc(0.5f, 0.1f))
                  .build(),
              SamplingParams.GREEDY.toBuilder().topLogprobs(0).build(),
              SamplingParams.GREEDY.toBuilder().logitBias(Map.of(5, 1f)).build(),
              SamplingParams.GREEDY.toBuilder()
                  .penalties(new SamplingParams.Penalties(64, 1.1f, 0, 0))
                  .build())) {
        harness.complete(
            Letters.ids("prompt"), GREEDY.toBuilder().sampling(sampling).maxTokens(9).build());
      }
      assertThat(harness.executable.startedAhead.get()).isZero();
    }
  }

  @Test
  void whoComesWhileOthersRunAheadIsTakenInWithinTwoSteps() {
    var permits = new Semaphore(0);
    try (var harness = ahead(Shape.ROOMY)) {
      harness.executable.beforeStep = _ -> permits.acquireUninterruptibly();
      TokenStream running = harness.core.generate(Letters.ids("prompt"), GREEDY);
      permits.release(3);
      for (int i = 0; i < 3; i++) {
        running.next();
      }
      TokenStream late = harness.core.generate(Letters.ids("other"), GREEDY);
      permits.release(3); // the two that may be under way, and the one that takes it in
      late.next();
      running.cancel();
      late.cancel();
      permits.release(100);
      running.stats();
      late.stats();
    }
  }

  @Test
  void aDeviceThatFailsUnderAStepAheadEndsTheRequest() {
    try (var harness = ahead(Shape.ROOMY)) {
      harness.executable.beforeStep =
          _ -> {
            if (harness.steps.size() == 4) {
              throw new DeviceFailedException("gpu 0 was lost");
            }
          };
      TokenStream stream = harness.core.generate(Letters.ids("prompt"), GREEDY);
      assertThatThrownBy(stream::collect).hasMessage("gpu 0 was lost");
      assertThat(stream.stats().generatedTokens()).isEqualTo(4);
    }
  }

  @Test
  void aStepThatFailsWithAnotherBehindItEndsItsRequestsAndNoOther() {
    try (var harness = ahead(Shape.ROOMY)) {
      harness.executable.beforeStep =
          _ -> {
            if (harness.steps.size() == 4) {
              harness.executable.beforeStep = _ -> {};
              throw new IllegalStateException("no luck");
            }
          };
      TokenStream stream = harness.core.generate(Letters.ids("prompt"), GREEDY);
      assertThatThrownBy(stream::collect).hasMessage("a step failed: no luck");
      assertThat(harness.core.status().kvUsage()).isZero();
      Completion after = harness.complete(Letters.ids("prompt"), GREEDY);
      assertThat(after.stats().finishReason()).isEqualTo(FinishReason.LENGTH);
    }
  }
}
