package dev.ridgeline.scheduler;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.Step;
import dev.ridgeline.sampler.InvalidParameterException;
import dev.ridgeline.sampler.Logprobs;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SamplingParams.Dry;
import dev.ridgeline.sampler.TokenMask;
import dev.ridgeline.scheduler.CoreHarness.Shape;
import dev.ridgeline.scheduler.GenerateParams.Scheduling;
import dev.ridgeline.scheduler.TokenStream.Completion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineCoreTest {
  private static final int[] PROMPT = Letters.ids("prompt");

  private final CoreHarness harness = new CoreHarness(Shape.ROOMY);

  @AfterEach
  void close() {
    harness.close();
  }

  /** A constraint that allows one text only, token by token, and then the end. */
  private static GenerateParams.Builder saying(int... tokens) {
    return GenerateParams.builder()
        .constraint(
            () ->
                new TokenMask() {
                  private int next;

                  @Override
                  public void mask(float[] logits) {
                    int only = next < tokens.length ? tokens[next] : Letters.EOS;
                    float logit = logits[only];
                    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
                    logits[only] = logit;
                  }

                  @Override
                  public void accept(int token) {
                    next++;
                  }
                });
  }

  private static GenerateParams.Builder endless() {
    return GenerateParams.builder().ignoreEos(true);
  }

  @Test
  void textComesTokenByTokenUntilTheModelEndsIt() {
    Completion done = harness.complete(PROMPT, saying(Letters.ids("hello")).build());
    assertThat(done.text()).isEqualTo("hello");
    assertThat(done.tokens().stream().map(Token::text))
        .containsExactly("h", "e", "l", "l", "o", "");
    assertThat(done.ids()).endsWith(Letters.EOS).hasSize(6);
    assertThat(done.stats().finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(done.stats().generatedTokens()).isEqualTo(6);
    assertThat(done.stats().promptTokens()).isEqualTo(6);
  }

  @Test
  void halfACharacterIsHeldBackAndAnUnfinishedOneReplaced() {
    int[] euro = {Letters.EURO, Letters.EURO + 1, Letters.EURO + 2};
    Completion whole = harness.complete(PROMPT, saying(euro).build());
    assertThat(whole.tokens().stream().map(Token::text)).containsExactly("", "", "\u20AC", "");
    Completion half = harness.complete(PROMPT, saying(euro).maxTokens(2).build());
    assertThat(half.text()).isEqualTo("\uFFFD");
    assertThat(half.stats().finishReason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void stopStringsEndTheTextBeforeThemAndMaySpanTokens() {
    GenerateParams params = saying(Letters.ids("abcdefgh")).stop("cde", "zz").build();
    Completion done = harness.complete(PROMPT, params);
    assertThat(done.text()).isEqualTo("ab");
    assertThat(done.stats().finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(done.stats().stopString()).isEqualTo("cde");
    assertThat(done.stats().generatedTokens()).isEqualTo(5);
    Completion no = harness.complete(PROMPT, saying(Letters.ids("abcd")).stop("cde").build());
    assertThat(no.text()).as("what was held back comes at the end").isEqualTo("abcd");
  }

  @Test
  void stopTokensEndTheText() {
    GenerateParams params = saying(Letters.ids("abc")).stopTokens(Set.of(Letters.A + 1)).build();
    Completion done = harness.complete(PROMPT, params);
    assertThat(done.text()).isEqualTo("a");
    assertThat(done.stats().finishReason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void theContextEndsTheTextAndItsLastTokenIsGiven() {
    Completion done = harness.complete(PROMPT, endless().build());
    assertThat(done.stats().finishReason()).isEqualTo(FinishReason.LENGTH);
    assertThat(done.stats().generatedTokens()).isEqualTo(CoreHarness.CONTEXT - PROMPT.length);
    Completion short3 = harness.complete(PROMPT, endless().maxTokens(3).build());
    assertThat(short3.ids()).isEqualTo(Arrays.copyOf(short3.ids(), 3)).hasSize(3);
  }

  @Test
  void ignoringTheEndForbidsItsTokens() {
    for (long seed = 0; seed < 20; seed++) {
      SamplingParams hot = SamplingParams.builder().temperature(5).topK(0).seed(seed).build();
      assertThat(harness.complete(PROMPT, endless().sampling(hot).build()).ids())
          .doesNotContain(Letters.EOS);
    }
  }

  @Test
  void logprobsComeWithTheirTokens() {
    GenerateParams params =
        endless()
            .sampling(SamplingParams.GREEDY.toBuilder().topLogprobs(3).build())
            .maxTokens(4)
            .build();
    for (Token token : harness.complete(PROMPT, params).tokens()) {
      Logprobs logprobs = requireNonNull(token.logprobs());
      assertThat(logprobs.topIds()).hasSize(3);
      assertThat(logprobs.topIds()[0]).as("greedy").isEqualTo(token.id());
      assertThat(logprobs.top()[0]).isEqualTo(logprobs.chosen());
    }
  }

  @Test
  void cancellingFreesTheBlocksWithinOneStep() {
    var steps = new Semaphore(0);
    harness.executable.beforeStep = _ -> steps.acquireUninterruptibly();
    TokenStream stream = harness.core.generate(PROMPT, endless().build());
    steps.release(2);
    stream.next();
    stream.next();
    assertThat(harness.core.status().kvUsage()).isPositive();
    stream.cancel();
    steps.release(1); // at most the step that is under way
    assertThat(stream.stats().finishReason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(harness.core.status().kvUsage()).isZero();
    assertThat(harness.core.status().running()).isZero();
    stream.collect(); // ends without an error
    assertThatThrownBy(stream::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void aRequestThatWaitsCanBeCancelledToo() {
    var steps = new Semaphore(0);
    try (var single = new CoreHarness(Shape.ROOMY.withSequences(1))) {
      single.executable.beforeStep = _ -> steps.acquireUninterruptibly();
      TokenStream running = single.core.generate(PROMPT, endless().build());
      TokenStream waiting = single.core.generate(PROMPT, endless().build());
      steps.release(1);
      running.next();
      waiting.cancel();
      steps.release(1);
      assertThat(waiting.stats().finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(waiting.stats().timings().prefillNanos()).isZero();
      running.cancel();
      steps.release(1);
      running.stats();
    }
  }

  @Test
  void aFailedDeviceEndsWhatRunsAndWhatWaitsAndNothingMoreIsTaken() {
    try (var single = new CoreHarness(Shape.ROOMY.withSequences(1))) {
      var steps = new Semaphore(0);
      single.executable.beforeStep =
          _ -> {
            steps.acquireUninterruptibly();
            if (single.steps.size() == 2) {
              throw new DeviceFailedException("gpu 0 was lost");
            }
          };
      TokenStream running = single.core.generate(PROMPT, endless().build());
      TokenStream waiting = single.core.generate(PROMPT, endless().build());
      assertThat(single.core.failure()).isNull();
      steps.release(3);
      for (TokenStream stream : List.of(running, waiting)) {
        assertThat(stream.stats().finishReason()).isEqualTo(FinishReason.ERROR);
        assertThatThrownBy(stream::collect)
            .isInstanceOf(GenerationException.class)
            .hasMessage("gpu 0 was lost");
      }
      assertThat(single.core.failure()).hasMessage("gpu 0 was lost");
      assertThatThrownBy(() -> single.core.generate(PROMPT, endless().build()))
          .isInstanceOf(GenerationException.class)
          .hasMessage("gpu 0 was lost");
    }
  }

  @Test
  void aDeviceThatFailsWhenItsLogitsAreReadHasFailed() {
    harness.executable.beforeLogits =
        () -> {
          throw new DeviceFailedException("gpu 0 was lost");
        };
    TokenStream stream = harness.core.generate(PROMPT, endless().build());
    assertThatThrownBy(stream::collect).hasMessage("gpu 0 was lost");
    assertThat(harness.core.failure()).hasMessage("gpu 0 was lost");
  }

  @Test
  void aSlowReaderHoldsUpNobody() {
    TokenStream unread = harness.core.generate(PROMPT, endless().build());
    Completion other = harness.complete(PROMPT, endless().build());
    assertThat(other.stats().finishReason()).isEqualTo(FinishReason.LENGTH);
    assertThat(unread.stats().generatedTokens()).isEqualTo(58);
    assertThat(unread.collect().tokens()).hasSize(58);
  }

  @Test
  void waitingForATokenCanTimeOut() {
    var steps = new Semaphore(0);
    harness.executable.beforeStep = _ -> steps.acquireUninterruptibly();
    TokenStream stream = harness.core.generate(PROMPT, endless().maxTokens(1).build());
    assertThat(stream.await(Duration.ofMillis(1))).isFalse();
    steps.release(1);
    assertThat(stream.await(Duration.ofMinutes(1))).isTrue();
    assertThat(stream.next().id()).isNotNegative();
  }

  @Test
  void whenTheTimeIsOverTheTextEndsWithWhatThereIs() {
    GenerateParams timed =
        saying(Letters.ids("abcdefgh"))
            .stop("bcx")
            .scheduling(new Scheduling(0, "", 0, Duration.ofNanos(1)))
            .build();
    Completion done = harness.complete(PROMPT, timed);
    assertThat(done.stats().finishReason()).isEqualTo(FinishReason.DEADLINE);
    assertThat(done.text()).isEmpty();
  }

  @Test
  void aStepThatFailsEndsItsRequestsAndNoOther() {
    String reason = "the device is gone";
    harness.executable.beforeStep =
        step -> {
          if (hasToken(step, Letters.A + 25)) {
            throw new IllegalStateException(reason);
          }
        };
    int[] poisoned = Letters.ids("zzzzzzzzzz");
    TokenStream failing = harness.core.generate(poisoned, endless().build());
    assertThatThrownBy(failing::collect)
        .isInstanceOf(GenerationException.class)
        .hasMessage("a step failed: " + reason)
        .hasRootCauseMessage(reason);
    assertThat(failing.stats().finishReason()).isEqualTo(FinishReason.ERROR);
    assertThat(harness.core.status().kvUsage()).isZero();
    Completion after = harness.complete(PROMPT, saying(Letters.ids("fine")).build());
    assertThat(after.text()).isEqualTo("fine");
    harness.executable.beforeStep = _ -> {};
    Completion again = harness.complete(poisoned, endless().build());
    assertThat(again.stats().cachedTokens()).as("nothing of the failed step is reused").isZero();
  }

  private static boolean hasToken(Step step, int token) {
    for (int row = 0; row < step.tokenCount(); row++) {
      if (step.token(row) == token) {
        return true;
      }
    }
    return false;
  }

  @Test
  void aConstraintThatAllowsNothingFailsItsOwnRequestOnly() {
    var impossible =
        new TokenMask() {
          @Override
          public void mask(float[] logits) {
            Arrays.fill(logits, Float.NEGATIVE_INFINITY);
          }

          @Override
          public void accept(int token) {}
        };
    TokenStream good = harness.core.generate(PROMPT, endless().build());
    TokenStream bad =
        harness.core.generate(
            PROMPT, GenerateParams.builder().constraint(() -> impossible).build());
    assertThatThrownBy(bad::collect)
        .hasMessageStartingWith("choosing a token failed: no token is possible");
    assertThat(good.collect().stats().finishReason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void closingEndsAllRequestsAndRefusesNewOnes() {
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < 20; i++) {
      streams.add(harness.core.generate(PROMPT, endless().build()));
    }
    harness.close();
    for (TokenStream stream : streams) {
      assertThat(stream.stats().finishReason()).isIn(FinishReason.CANCELLED, FinishReason.LENGTH);
    }
    assertThatThrownBy(() -> harness.core.generate(PROMPT, endless().build()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the engine is closed");
    harness.close(); // again, without effect
  }

  @Test
  void requestsThatCannotWorkAreRefusedByName() {
    GenerateParams params = GenerateParams.DEFAULTS;
    assertThatThrownBy(() -> harness.core.generate(new int[0], params))
        .isInstanceOf(InvalidParameterException.class)
        .hasMessage("prompt: expected 1 to 63 tokens, as the context is 64, found 0");
    assertThatThrownBy(() -> harness.core.generate(new int[64], params))
        .hasMessage("prompt: expected 1 to 63 tokens, as the context is 64, found 64");
    assertThatThrownBy(() -> harness.core.generate(new int[] {Letters.SIZE}, params))
        .hasMessage("prompt: expected token ids of 0 to 31, found 32");
    SamplingParams bias = SamplingParams.builder().logitBias(Map.of(99, 1f)).build();
    assertThatThrownBy(
            () -> harness.core.generate(PROMPT, params.toBuilder().sampling(bias).build()))
        .hasMessage("logitBias: expected token ids below 32, found 99");
    assertThatThrownBy(() -> GenerateParams.builder().maxTokens(0).build())
        .hasMessage("maxTokens: expected 1 or more, or -1, found 0");
    assertThatThrownBy(() -> GenerateParams.builder().stop("").build())
        .hasMessage("stop: expected texts of 1 to 1000 characters, found one of 0");
  }

  @Test
  void sequenceBreakersAreFoundInTheVocabulary() {
    Dry dry = new Dry(100, 2, 1, -1, List.of("x"));
    SamplingParams sampling = SamplingParams.builder().temperature(0).dry(dry).build();
    int[] prompt = Letters.ids("abababababab");
    Completion done = harness.complete(prompt, endless().sampling(sampling).maxTokens(1).build());
    assertThat(done.ids()[0]).as("would go on repeating").isNotEqualTo(Letters.A);
  }

  @Test
  void timingsAddUp() {
    TokenStream stream = harness.core.generate(PROMPT, endless().maxTokens(5).build());
    RequestStats stats = stream.stats();
    RequestStats.Timings t = stats.timings();
    assertThat(t.queuedNanos()).isPositive();
    assertThat(t.prefillNanos()).isPositive();
    assertThat(t.decodeNanos()).isPositive();
    assertThat(t.firstTokenNanos()).isEqualTo(t.queuedNanos() + t.prefillNanos());
    assertThat(stats.decodeTokensPerSecond()).isEqualTo(4e9 / t.decodeNanos());
    assertThat(stats.promptTokensPerSecond()).isEqualTo(6e9 / t.prefillNanos());
    harness.close();
    assertThat(harness.finished).containsExactly(stats);
    assertThat(harness.steps.stream().mapToInt(StepStats::tokens).sum()).isEqualTo(6 + 4);
  }
}
