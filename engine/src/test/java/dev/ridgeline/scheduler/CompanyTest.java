package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.sampler.SamplingParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests to a trained model that run beside others, from as many threads. */
@Timeout(300)
class CompanyTest {
  private static final Path MODEL =
      Path.of("../builtin/src/main/resources/dev/ridgeline/builtin/stories-q4_k_m.gguf");

  private static EngineOptions options(String backend) {
    return EngineOptions.builder().backend(backend).context(256).parallel(16).build();
  }

  private static String prompt(int i) {
    return "In the year " + (1800 + i) + " there lived a man" + " who was very".repeat(i);
  }

  private static GenerateParams params(int i, int tokens) {
    return GenerateParams.builder()
        .sampling(SamplingParams.builder().seed((long) i).build())
        .maxTokens(tokens)
        .ignoreEos(true)
        .build();
  }

  private static List<String> alone(EngineOptions options, int requests, int tokens) {
    var texts = new ArrayList<String>();
    try (Engine engine = Engine.open(MODEL, options)) {
      for (int i = 0; i < requests; i++) {
        texts.add(engine.generate(prompt(i), params(i, tokens)).collect().text());
      }
    }
    return texts;
  }

  private static List<String> together(EngineOptions options, int requests, int tokens) {
    try (Engine engine = Engine.open(MODEL, options)) {
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < requests; i++) {
        streams.add(engine.generate(prompt(i), params(i, tokens)));
      }
      return streams.stream().map(s -> s.collect().text()).toList();
    }
  }

  /** Whole prompts and prompts cut into pieces of 8 and 16 tokens, beside 1 to 12 others. */
  @ParameterizedTest
  @CsvSource({"reference, 4, 4", "cpu, 12, 24"})
  void theSameSeedGivesTheSameTextAloneAndInAFullBatch(String backend, int requests, int tokens) {
    EngineOptions options = options(backend);
    List<String> alone = alone(options, requests, tokens);
    assertThat(together(options, requests, tokens)).isEqualTo(alone);
    EngineOptions chunks = options.toBuilder().batchTokens(16).parallel(8).build();
    assertThat(together(chunks, requests, tokens)).isEqualTo(alone);
  }

  @Test
  void twelveThreadsAreAllAnswered() throws InterruptedException {
    var tokens = new AtomicInteger();
    try (Engine engine = Engine.open(MODEL, options("cpu"))) {
      var threads = new ArrayList<Thread>();
      for (int i = 0; i < 12; i++) {
        int request = i;
        threads.add(
            Thread.startVirtualThread(
                () -> {
                  for (int round = 0; round < 2; round++) {
                    TokenStream stream = engine.generate(prompt(request), params(request, 16));
                    tokens.addAndGet(stream.collect().tokens().size());
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(engine.status().kvUsage()).isZero();
    }
    assertThat(tokens).hasValue(12 * 2 * 16);
  }
}
