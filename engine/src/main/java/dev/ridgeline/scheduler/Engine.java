package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.FileExecutable;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
  private final GgufFile file;
  private final Tokenizer tokenizer;
  private final EnginePlan plan;
  private final Model model;
  private final Backend backend;
  private final Executable executable;
  private final EngineCore core;
  private final @Nullable Embedder embedder;
  private boolean closed;

  /** Parsed when it is first asked for: a model whose template is broken still takes prompts. */
  private @Nullable ChatPrompt chatPrompt;

  private Engine(GgufFile file, Backend backend, EngineOptions options) {
    this.file = file;
    this.backend = backend;
    tokenizer = Tokenizer.of(file.metadata());
    Model trained = Model.read(file.metadata(), file.tensors());
    var graphs =
        new EnginePlan.Graphs(
            Fusion.fuse(trained.graph()),
            options.embeddings() ? Embedder.graph(trained.graph()) : null);
    plan = EnginePlan.of(graphs, trained.contextLength(), backend, options);
    model = Model.read(file.metadata(), file.tensors(), plan.capacity().maxContext());
    Graph graph = Fusion.fuse(model.graph());
    options.onPlan().accept(plan);
    executable =
        FileExecutable.of(
            file,
            () -> {
              file.warm(options.onLoad());
              return backend.compile(graph, file::tensor, plan.capacity());
            });
    core =
        new EngineCore(
            executable,
            tokenizer,
            plan.kvGroups(graph),
            new StepLoop.Settings(options.maxGap().toNanos(), options.listeners()));
    embedder =
        options.embeddings()
            ? new Embedder(
                backend,
                model.graph(),
                file,
                plan.capacity(),
                Embedder.Pooling.of(pooling(file)),
                core::betweenSteps)
            : null;
  }

  private static int pooling(GgufFile file) {
    String key = file.metadata().string("general.architecture") + ".pooling_type";
    return (int) file.metadata().integer(key, 0);
  }

  /**
   * The vector of a text: the state of its last token after the last norm, or what the file's
   * {@code pooling_type} says, scaled to length 1. {@code [nEmbd]}. Waits for its turn between
   * steps.
   *
   * @throws IllegalStateException if the engine was opened without embeddings
   * @throws dev.ridgeline.sampler.InvalidParameterException if the text does not fit the context
   */
  public float[] embed(int... ids) {
    if (embedder == null) {
      throw new IllegalStateException("the engine was opened without embeddings");
    }
    core.checkIds("input", ids);
    return embedder.embed(ids);
  }

  /** Whether {@link #embed} can be used. */
  public boolean embeds() {
    return embedder != null;
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
    @Nullable Backend backend = null;
    @Nullable Engine engine = null;
    try {
      backend = Backends.open(options.backend(), options.backendOptions());
      engine = new Engine(file, backend, options);
      return engine;
    } finally {
      if (engine == null) {
        if (backend != null) {
          backend.close();
        }
        file.close();
      }
    }
  }

  /** Continues {@code prompt} with the default parameters. */
  public TokenStream generate(String prompt) {
    return generate(prompt, GenerateParams.DEFAULTS);
  }

  /**
   * Continues {@code prompt}, before which the model's BOS token is put if it expects one. The
   * names of special tokens in it are text.
   *
   * @throws dev.ridgeline.sampler.InvalidParameterException if a parameter does not fit this model
   * @throws IllegalStateException if the engine is closed
   */
  public TokenStream generate(String prompt, GenerateParams params) {
    return generate(tokenizer.encode(prompt, bos(tokenizer.addBos()), false), params);
  }

  /**
   * Continues the tokens {@code prompt} as they are. Returns at once.
   *
   * @throws dev.ridgeline.sampler.InvalidParameterException if a parameter does not fit this model
   * @throws IllegalStateException if the engine is closed
   */
  public TokenStream generate(int[] prompt, GenerateParams params) {
    return core.generate(prompt, params);
  }

  /** Answers the last of some messages with the default parameters. */
  public TokenStream chat(Message... messages) {
    return chat(GenerateParams.DEFAULTS, messages);
  }

  /**
   * Answers the last of some messages, put into a prompt by the model's own template.
   *
   * @throws dev.ridgeline.tokenizer.template.TemplateException if the template refuses them
   * @throws IllegalStateException if the model has no template
   */
  public TokenStream chat(GenerateParams params, Message... messages) {
    ChatPrompt prompt =
        chatPrompt()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        file.path()
                            + " has no chat template: give it a prompt instead of messages"));
    return generate(prompt.encode(Arrays.stream(messages).map(Message::asMap).toList()), params);
  }

  /**
   * The model's chat template; empty where its file has none.
   *
   * @throws dev.ridgeline.tokenizer.template.TemplateException if it cannot be parsed
   */
  public synchronized Optional<ChatPrompt> chatPrompt() {
    if (chatPrompt == null) {
      chatPrompt = ChatPrompt.of(file.metadata(), tokenizer).orElse(null);
    }
    return Optional.ofNullable(chatPrompt);
  }

  private static Tokenizer.Bos bos(boolean wanted) {
    return wanted ? Tokenizer.Bos.YES : Tokenizer.Bos.NO;
  }

  /** The model as its file describes it. */
  public Model model() {
    return model;
  }

  /** Text to tokens and back. */
  public Tokenizer tokenizer() {
    return tokenizer;
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
    return core.status();
  }

  /**
   * Why this engine will never answer again, in one line: its device was lost or does not answer.
   * Requests that were under way have ended with the same words; empty while all is well.
   */
  public Optional<String> failure() {
    return Optional.ofNullable(core.failure()).map(Throwable::getMessage);
  }

  /** Ends all requests as {@link FinishReason#CANCELLED} and frees everything; again, nothing. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    core.close();
    if (embedder != null) {
      embedder.close();
    }
    executable.close();
    backend.close();
    file.close();
  }
}
