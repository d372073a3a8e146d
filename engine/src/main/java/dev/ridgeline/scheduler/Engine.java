package dev.ridgeline.scheduler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.kvcache.KvCache;
import dev.ridgeline.model.Model;
import dev.ridgeline.sampler.Sampler;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SequenceBreakers;
import dev.ridgeline.sampler.TokenMask;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A loaded model that answers any number of requests at the same time, from any threads. Engines
 * share nothing: two models can be open in one program.
 *
 * <pre>{@code
 * try (Engine engine = Engine.open(Path.of("model.gguf"));
 *     TokenStream tokens = engine.generate("Once upon a time")) {
 *   tokens.forEach(token -> System.out.print(token.text()));
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
  private static final int MAX_BREAKER_LISTS = 16;

  private final GgufFile file;
  private final Model model;
  private final Tokenizer tokenizer;
  private final EnginePlan plan;
  private final Backend backend;
  private final Executable executable;
  private final KvCache kv;
  private final StepLoop loop;
  private final AtomicLong arrivals = new AtomicLong();

  /** What lists of DRY's sequence breakers mean in this vocabulary: a scan of it for each list. */
  private final Map<List<String>, SequenceBreakers> breakers =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<List<String>, SequenceBreakers> eldest) {
          return size() > MAX_BREAKER_LISTS;
        }
      };

  private Engine(GgufFile file, Backend backend, EngineOptions options) {
    this.file = file;
    this.backend = backend;
    tokenizer = Tokenizer.of(file.metadata());
    Model trained = Model.read(file.metadata(), file.tensors());
    Graph graph = Fusion.fuse(trained.graph());
    plan = EnginePlan.of(graph, trained.contextLength(), backend, options);
    int context = plan.capacity().maxContext();
    model = Model.read(file.metadata(), file.tensors(), context);
    options.onPlan().accept(plan);
    executable = backend.compile(Fusion.fuse(model.graph()), file::tensor, plan.capacity());
    kv = new KvCache(EnginePlan.BLOCK_TOKENS, plan.kvGroups(graph, options.prefixCache()));
    var settings =
        new StepLoop.Settings(
            options.maxGap().toNanos(),
            options.listeners(),
            work ->
                file.reading(
                    () -> {
                      work.run();
                      return true;
                    }));
    loop = new StepLoop(executable, tokenizer, kv, settings);
  }

  /** Loads a GGUF file with the default options. */
  public static Engine open(Path path) {
    return open(path, EngineOptions.DEFAULTS);
  }

  /**
   * Loads a GGUF file.
   *
   * @throws dev.ridgeline.gguf.GgufException if it is not a well-formed model
   * @throws IllegalArgumentException if the backend cannot run here, or the model does not fit into
   *     the memory there is: then with the arithmetic
   */
  public static Engine open(Path path, EngineOptions options) {
    GgufFile file = GgufFile.open(path);
    try {
      Backend backend = Backends.open(options.backend(), options.backendOptions());
      try {
        return new Engine(file, backend, options);
      } catch (RuntimeException e) {
        backend.close();
        throw e;
      }
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Continues {@code prompt} with the default parameters. */
  public TokenStream generate(String prompt) {
    return generate(prompt, GenerateParams.DEFAULTS);
  }

  /**
   * Continues {@code prompt}, before which the model's BOS token is put if it expects one. Special
   * tokens in the text are text.
   *
   * @throws dev.ridgeline.sampler.InvalidParameterException if a parameter does not fit this model
   */
  public TokenStream generate(String prompt, GenerateParams params) {
    return generate(tokenizer.encode(prompt, Tokenizer.Bos.AUTO, false), params);
  }

  /**
   * Continues the tokens {@code prompt} as they are. Returns at once.
   *
   * @throws dev.ridgeline.sampler.InvalidParameterException if a parameter does not fit this model
   * @throws IllegalStateException if the engine is closed
   */
  public TokenStream generate(int[] prompt, GenerateParams params) {
    checkPrompt(prompt);
    SamplingParams sampling = params.sampling();
    Long wanted = sampling.seed();
    long seed = wanted == null ? ThreadLocalRandom.current().nextLong(1L << 32) : wanted;
    TokenMask mask = params.constraint() == null ? null : params.constraint().get();
    var sampler =
        new Sampler(
            params.ignoreEos() ? withoutEnds(sampling) : sampling,
            seed,
            executable.vocabularySize(),
            sampling.dry().active() ? breakers(sampling.dry().sequenceBreakers()) : NO_BREAKERS,
            mask);
    var stream = new TokenStream(this::wake);
    var parts =
        new Sequence.Parts(
            params,
            sampler,
            seed,
            tokenizer.decoder(false, !params.specialTokens()),
            stream,
            kv.newTable());
    loop.submit(
        new Sequence(
            parts, arrivals.getAndIncrement(), prompt.clone(), plan.capacity().maxContext()));
    return stream;
  }

  private static final SequenceBreakers NO_BREAKERS = SequenceBreakers.NONE;

  private void wake() {
    loop.wake();
  }

  private void checkPrompt(int[] prompt) {
    int context = plan.capacity().maxContext();
    require(
        prompt.length > 0 && prompt.length < context,
        "prompt",
        "1 to %d tokens, as the context is %d".formatted(context - 1, context),
        prompt.length);
    for (int id : prompt) {
      require(
          id >= 0 && id < tokenizer.size(),
          "prompt",
          "token ids of 0 to " + (tokenizer.size() - 1),
          id);
    }
  }

  private SamplingParams withoutEnds(SamplingParams sampling) {
    var bias = new HashMap<>(sampling.logitBias());
    for (int id : tokenizer.ends()) {
      bias.put(id, Float.NEGATIVE_INFINITY);
    }
    return sampling.toBuilder().logitBias(bias).build();
  }

  private SequenceBreakers breakers(List<String> texts) {
    synchronized (breakers) {
      return breakers.computeIfAbsent(
          texts,
          _ ->
              SequenceBreakers.of(
                  texts,
                  tokenizer.size(),
                  tokenizer::piece,
                  text -> tokenizer.encode(text, Tokenizer.Bos.NO, false)));
    }
  }

  /** The model as its file describes it. */
  public Model model() {
    return model;
  }

  /** Text to tokens and back. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * The model's chat template; empty where its file has none. Parsed anew by each call.
   *
   * @throws dev.ridgeline.tokenizer.template.TemplateException if it cannot be parsed
   */
  public Optional<ChatPrompt> chatPrompt() {
    return ChatPrompt.of(file.metadata(), tokenizer);
  }

  /** What runs the model. */
  public Backend backend() {
    return backend;
  }

  /** Capacity and memory, fixed when the model was loaded. */
  public EnginePlan plan() {
    return plan;
  }

  /** Bytes that were allocated, by lifetime. */
  public MemoryPlan memoryPlan() {
    return plan.memory();
  }

  /** What is going on; never waits for a step. */
  public EngineStatus status() {
    return loop.status();
  }

  /** Ends all requests as {@link FinishReason#CANCELLED} and frees everything. */
  @Override
  public void close() {
    loop.close();
    executable.close();
    backend.close();
    file.close();
  }
}
