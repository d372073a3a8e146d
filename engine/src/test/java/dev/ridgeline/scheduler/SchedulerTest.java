package dev.ridgeline.scheduler;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.sampler.Sampler;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SequenceBreakers;
import dev.ridgeline.scheduler.GenerateParams.Scheduling;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Decisions, step by step: {sequence -> number of tokens}. */
class SchedulerTest {
  private static final int BLOCK = 4;
  private static final int CONTEXT = 80;
  private static final int UNBOUNDED = Integer.MAX_VALUE;

  private final Tokenizer tokenizer = Letters.tokenizer();
  private long arrivals;

  private static KvCache kv(int blocks) {
    return new KvCache(BLOCK, List.of(new KvCache.Group(0, blocks, blocks)));
  }

  /** A request whose prompt, of {@code prompt} tokens, is like no other's. */
  private Sequence request(KvCache kv, int prompt, int priority, String client) {
    GenerateParams params =
        GenerateParams.builder().scheduling(new Scheduling(priority, client, 0, null)).build();
    var sampler =
        new Sampler(SamplingParams.DEFAULTS, 0, Letters.SIZE, SequenceBreakers.NONE, null);
    var parts =
        new Sequence.Parts(
            params,
            sampler,
            0,
            tokenizer.decoder(false, true),
            new TokenStream(() -> {}),
            kv.newTable());
    int[] tokens = new int[prompt];
    Arrays.fill(tokens, (int) arrivals + Letters.A);
    return new Sequence(parts, arrivals++, tokens, CONTEXT);
  }

  private static Map<Sequence, Integer> step(Scheduler scheduler, int prefillTokens) {
    var plan = new LinkedHashMap<Sequence, Integer>();
    for (Sequence s : scheduler.schedule(prefillTokens)) {
      plan.put(s, s.scheduled);
      scheduler.computed(s);
      if (s.pending() == 0) {
        s.append(Letters.A);
        s.client.served++;
      }
    }
    return plan;
  }

  @Test
  void promptsAreCutIntoStepsAndGoOnBesideGeneration() {
    KvCache kv = kv(100);
    var scheduler = new Scheduler(kv, 32, 4, 0);
    Sequence first = request(kv, 10, 0, "");
    Sequence second = request(kv, 60, 0, "");
    scheduler.add(first);
    assertThat(step(scheduler, 16)).isEqualTo(Map.of(first, 10));
    scheduler.add(second);
    assertThat(step(scheduler, 16)).as("bounded").isEqualTo(Map.of(first, 1, second, 16));
    assertThat(step(scheduler, 16)).isEqualTo(Map.of(first, 1, second, 16));
    assertThat(step(scheduler, UNBOUNDED)).as("of 32").isEqualTo(Map.of(first, 1, second, 28));
    assertThat(step(scheduler, 16)).isEqualTo(Map.of(first, 1, second, 1));
  }

  @Property(tries = 200)
  void noStepWithGeneratingSequencesCarriesMorePromptThanTheBound(@ForAll long seed) {
    var random = new Random(seed);
    KvCache kv = kv(20 + random.nextInt(80));
    var scheduler = new Scheduler(kv, 32 + random.nextInt(64), 1 + random.nextInt(8), 0);
    for (int step = 0; step < 60; step++) {
      for (int i = random.nextInt(3); i > 0; i--) {
        scheduler.add(request(kv, 1 + random.nextInt(CONTEXT - 1), random.nextInt(3), ""));
      }
      int bound = 1 + random.nextInt(40);
      List<Sequence> generating =
          scheduler.running().stream().filter(s -> s.pending() == 1).toList();
      Map<Sequence, Integer> plan = step(scheduler, bound);
      List<Sequence> advanced = generating.stream().filter(plan::containsKey).toList();
      assertThat(scheduler.running().stream().filter(generating::contains).toList())
          .as("whoever was not preempted")
          .hasSameElementsAs(advanced);
      int prompts = plan.values().stream().mapToInt(Integer::intValue).sum() - advanced.size();
      if (!advanced.isEmpty()) {
        assertThat(prompts).isLessThanOrEqualTo(bound);
      }
      List.copyOf(scheduler.running()).stream()
          .filter(s -> s.isFull() || random.nextInt(20) == 0)
          .forEach(scheduler::remove);
    }
  }

  @Test
  void shortPromptsFillUpAStepOfFewTokensAndLongOnesDoNot() {
    KvCache kv = kv(100);
    var scheduler = new Scheduler(kv, 256, 40, 32);
    Sequence first = request(kv, 10, 0, "");
    scheduler.add(first);
    assertThat(step(scheduler, UNBOUNDED)).isEqualTo(Map.of(first, 10));
    Sequence shorter = request(kv, 50, 0, "");
    scheduler.add(shorter);
    assertThat(step(scheduler, UNBOUNDED)).isEqualTo(Map.of(first, 1, shorter, 31));
    assertThat(step(scheduler, UNBOUNDED)).isEqualTo(Map.of(first, 1, shorter, 19));
    Sequence longer = request(kv, 70, 0, "");
    scheduler.add(longer);
    assertThat(step(scheduler, UNBOUNDED)).isEqualTo(Map.of(first, 1, shorter, 1, longer, 70));
    List<Sequence> many = IntStream.range(0, 20).mapToObj(_ -> request(kv, 2, 0, "")).toList();
    many.forEach(scheduler::add);
    assertThat(step(scheduler, UNBOUNDED)).hasSize(3 + 29 / 2 + 1);
    step(scheduler, UNBOUNDED);
    Sequence last = request(kv, 60, 0, "");
    scheduler.add(last);
    assertThat(step(scheduler, UNBOUNDED).get(last))
        .as("9 are left of 32: too few")
        .isEqualTo(64 - 23);
  }

  @Test
  void promptsAloneGetWholeSteps() {
    KvCache kv = kv(100);
    var scheduler = new Scheduler(kv, 32, 4, 0);
    Sequence first = request(kv, 20, 0, "");
    Sequence second = request(kv, 60, 0, "");
    scheduler.add(first);
    scheduler.add(second);
    assertThat(step(scheduler, 16)).isEqualTo(Map.of(first, 20, second, 12));
  }

  @Test
  void noMoreRunThanThereArePlaces() {
    KvCache kv = kv(100);
    var scheduler = new Scheduler(kv, 32, 2, 0);
    for (int i = 0; i < 3; i++) {
      scheduler.add(request(kv, 4, 0, ""));
    }
    assertThat(step(scheduler, UNBOUNDED)).hasSize(2);
    assertThat(scheduler.waiting()).hasSize(1);
    scheduler.remove(scheduler.running().getFirst());
    assertThat(step(scheduler, UNBOUNDED)).hasSize(2);
    assertThat(scheduler.waiting()).isEmpty();
  }

  @Test
  void theUrgentGoFirstAndTheYoungestIsPreempted() {
    KvCache kv = kv(20); // one sequence of the whole context
    var scheduler = new Scheduler(kv, 64, 4, 0);
    Sequence low = request(kv, 16, 1, "");
    Sequence old = request(kv, 16, 0, "");
    Sequence young = request(kv, 16, 0, "");
    scheduler.add(low);
    scheduler.add(young);
    scheduler.add(old);
    assertThat(step(scheduler, UNBOUNDED).keySet()).containsExactly(old, young, low);
    while (low.preemptions == 0) {
      step(scheduler, UNBOUNDED);
    }
    assertThat(kv.inUse(0)).isLessThanOrEqualTo(20);
    assertThat(scheduler.running()).containsExactly(old, young);
    while (young.preemptions == 0) {
      step(scheduler, UNBOUNDED);
    }
    assertThat(scheduler.running()).contains(old);
    assertThat(old.preemptions).isZero();
    scheduler.remove(old);
    assertThat(step(scheduler, UNBOUNDED).keySet()).as("who was preempted").contains(young);
  }

  @Test
  void aPreemptedSequenceComesBackFromTheCache() {
    KvCache kv = kv(20);
    var scheduler = new Scheduler(kv, 64, 4, 0);
    Sequence old = request(kv, 36, 0, "");
    Sequence young = request(kv, 36, 0, "");
    scheduler.add(old);
    scheduler.add(young);
    while (young.preemptions == 0) {
      step(scheduler, UNBOUNDED);
    }
    int count = young.count();
    scheduler.remove(old);
    int recomputed = requireNonNull(step(scheduler, UNBOUNDED).get(young));
    assertThat(recomputed).isLessThanOrEqualTo(count - 32);
    assertThat(young.cachedTokens).as("hits of the prompt only").isZero();
  }

  @Test
  void clientsShareThePlacesWhateverTheyAskFor() {
    KvCache kv = kv(400);
    var scheduler = new Scheduler(kv, 64, 1, 0);
    for (int i = 0; i < 6; i++) {
      scheduler.add(request(kv, 10, 0, "greedy"));
    }
    Sequence modest = request(kv, 10, 0, "modest");
    scheduler.add(modest);
    Sequence first = step(scheduler, UNBOUNDED).keySet().iterator().next();
    assertThat(first).isNotSameAs(modest);
    scheduler.remove(first);
    assertThat(step(scheduler, UNBOUNDED)).as("served nothing yet").containsKey(modest);
    scheduler.remove(modest);
    Sequence late = request(kv, 10, 0, "late");
    scheduler.add(late);
    assertThat(step(scheduler, UNBOUNDED))
        .as("who comes now starts level with the others, and is younger")
        .doesNotContainKey(late);
  }

  @Test
  void aLongPromptIsNotOvertakenWhileItWaitsForBlocks() {
    KvCache kv = kv(20);
    var scheduler = new Scheduler(kv, 64, 4, 0);
    Sequence running = request(kv, 40, 0, "");
    Sequence large = request(kv, 60, 0, "");
    Sequence small = request(kv, 4, 0, "");
    scheduler.add(running);
    scheduler.add(large);
    scheduler.add(small);
    assertThat(step(scheduler, UNBOUNDED).keySet()).containsExactly(running);
    assertThat(step(scheduler, UNBOUNDED).keySet()).containsExactly(running);
    scheduler.remove(running);
    assertThat(step(scheduler, UNBOUNDED).keySet()).containsExactly(large, small);
  }

  @Test
  void thePaceFollowsTheMeasuredSpeed() {
    var pace = new PrefillPace(50_000_000);
    assertThat(pace.tokens()).isEqualTo(128);
    pace.observe(100_000_000, 100);
    assertThat(pace.tokens()).isEqualTo(50);
    pace.observe(1_000_000, 1);
    assertThat(pace.tokens()).as("generation says nothing about prompts").isEqualTo(50);
    for (int i = 0; i < 60; i++) {
      pace.observe(10_000_000, 100);
    }
    assertThat(pace.tokens()).isEqualTo(500);
    pace.observe(100_000_000_000L, 100);
    assertThat(pace.tokens()).isEqualTo(PrefillPace.LEAST);
  }
}
