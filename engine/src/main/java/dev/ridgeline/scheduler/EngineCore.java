package dev.ridgeline.scheduler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.backend.DeviceFailedException;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.sampler.Sampler;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SequenceBreakers;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Requests over an executable and a tokenizer, wherever these came from. */
final class EngineCore implements AutoCloseable {
  private static final int MAX_BREAKER_LISTS = 16;

  private final Executable executable;
  private final Tokenizer tokenizer;
  private final KvCache kv;
  private final StepLoop loop;
  private final AtomicLong arrivals = new AtomicLong();

  /** What DRY's sequence breakers mean in this vocabulary: for each list a scan of all of it. */
  private final Map<List<String>, SequenceBreakers> breakers = new LinkedHashMap<>();

  EngineCore(
      Executable executable,
      Tokenizer tokenizer,
      List<KvCache.Group> groups,
      StepLoop.Settings settings) {
    this.executable = executable;
    this.tokenizer = tokenizer;
    kv = new KvCache(executable.capacity().blockTokens(), groups);
    loop = new StepLoop(executable, tokenizer, kv, settings);
  }

  /** See {@link Engine#generate(int[], GenerateParams)}. */
  TokenStream generate(int[] prompt, GenerateParams params) {
    checkPrompt(prompt);
    SamplingParams sampling = params.sampling();
    Long wanted = sampling.seed();
    long seed = wanted == null ? ThreadLocalRandom.current().nextLong(1L << 32) : wanted;
    var constraint = params.constraint();
    var sampler =
        new Sampler(
            params.ignoreEos() ? withoutEnds(sampling) : sampling,
            seed,
            executable.vocabularySize(),
            breakers(sampling.dry()),
            constraint == null ? null : constraint.get());
    var stream = new TokenStream(loop::wake);
    var decoder = tokenizer.decoder(false, !params.specialTokens());
    var parts = new Sequence.Parts(params, sampler, seed, decoder, stream, kv.newTable());
    int context = executable.capacity().maxContext();
    loop.submit(new Sequence(parts, arrivals.getAndIncrement(), prompt, context));
    return stream;
  }

  private void checkPrompt(int[] prompt) {
    int context = executable.capacity().maxContext();
    require(
        prompt.length > 0 && prompt.length < context,
        "prompt",
        "1 to %d tokens, as the context is %d".formatted(context - 1, context),
        prompt.length);
    checkIds("prompt", prompt);
  }

  void checkIds(String field, int[] tokens) {
    String ids = "token ids of 0 to " + (tokenizer.size() - 1);
    for (int id : tokens) {
      require(id >= 0 && id < tokenizer.size(), field, ids, id);
    }
  }

  /** Runs {@code work} on the step thread, between steps. */
  void betweenSteps(Runnable work) {
    loop.betweenSteps(work);
  }

  private SamplingParams withoutEnds(SamplingParams sampling) {
    var bias = new HashMap<>(sampling.logitBias());
    for (int id : tokenizer.ends()) {
      bias.put(id, Float.NEGATIVE_INFINITY);
    }
    return sampling.toBuilder().logitBias(bias).build();
  }

  private SequenceBreakers breakers(SamplingParams.Dry dry) {
    if (!dry.active()) {
      return SequenceBreakers.NONE;
    }
    synchronized (breakers) {
      if (breakers.size() == MAX_BREAKER_LISTS && !breakers.containsKey(dry.sequenceBreakers())) {
        breakers.remove(breakers.keySet().iterator().next());
      }
      return breakers.computeIfAbsent(
          dry.sequenceBreakers(),
          texts ->
              SequenceBreakers.of(
                  texts,
                  tokenizer.size(),
                  tokenizer::piece,
                  text -> tokenizer.encode(text, Tokenizer.Bos.NO, false)));
    }
  }

  @Nullable DeviceFailedException failure() {
    return loop.failure();
  }

  EngineStatus status() {
    return loop.status();
  }

  /** Stops the thread; the executable is the caller's. */
  @Override
  public void close() {
    loop.close();
  }
}
