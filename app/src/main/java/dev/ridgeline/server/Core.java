package dev.ridgeline.server;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.server.ApiException.Kind;
import dev.ridgeline.tokenizer.template.TemplateException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What all endpoints share: the engine once it is there, the queue, the figures, the log. */
final class Core {
  /** Where the server is in its life. */
  enum State {
    LOADING,
    READY,
    DRAINING,
    FAILED
  }

  final ServerSettings settings;
  final Metrics metrics;
  final Admission admission;
  final Log log;
  final Tracing tracing;

  final long startedSeconds = System.currentTimeMillis() / 1000;
  final AtomicInteger busy = new AtomicInteger();
  final WatchedWriter.Busy writers = new WatchedWriter.Busy();
  private volatile State state = State.LOADING;
  private volatile @Nullable Loaded loaded;

  /** The engine with what is derived from it once. */
  private record Loaded(
      Engine engine,
      String model,
      Constraints constraints,
      @Nullable ToolFormat toolFormat,
      @Nullable MachineLimits limits) {}

  Core(ServerSettings settings, Metrics metrics, Log log, Tracing tracing) {
    this.settings = settings;
    this.metrics = metrics;
    this.log = log;
    this.tracing = tracing;
    admission = new Admission(settings.admission());
  }

  void loaded(Engine engine, @Nullable MachineLimits limits) {
    String model =
        settings.models().isEmpty() ? engine.model().name() : settings.models().getFirst();
    @Nullable ToolFormat format = toolFormat(engine);
    loaded = new Loaded(engine, model, new Constraints(engine.tokenizer()), format, limits);
    metrics.engine(engine, model);
  }

  long createdSeconds() {
    return System.currentTimeMillis() / 1000;
  }

  private static @Nullable ToolFormat toolFormat(Engine engine) {
    try {
      return engine.chatPrompt().flatMap(ToolFormat::of).orElse(null);
    } catch (TemplateException e) {
      return null; // told to whoever wants to chat
    }
  }

  /** How the model writes calls of tools; null where its template does not say. */
  @Nullable ToolFormat toolFormat() {
    Loaded l = loaded;
    return l == null ? null : l.toolFormat;
  }

  /** What the machine can do at most; null where it is not known. */
  @Nullable MachineLimits limits() {
    Loaded l = loaded;
    return l == null ? null : l.limits;
  }

  /** Of a server whose device has failed: as if loading had. */
  State state() {
    return state == State.READY && failure() != null ? State.FAILED : state;
  }

  /** Why the engine will never answer again; null while all is well. */
  private @Nullable String failure() {
    Loaded l = loaded;
    return l == null ? null : l.engine.failure().orElse(null);
  }

  void state(State next) {
    state = next;
  }

  /** The engine whatever the state; null until it is loaded. */
  @Nullable Engine engineOrNull() {
    Loaded l = loaded;
    return l == null ? null : l.engine;
  }

  /**
   * The engine.
   *
   * @throws ApiException 503 while it is loading, and when the server is about to end
   */
  Engine engine() {
    Loaded l = loaded;
    State now = state();
    if (now == State.READY && l != null) {
      return l.engine;
    }
    String failure = failure();
    throw ApiException.later(
        Kind.NOT_READY,
        switch (now) {
          case DRAINING -> "the server is shutting down";
          case FAILED -> failure == null ? "the model could not be loaded" : failure;
          default -> "the model is being loaded";
        },
        now == State.LOADING ? 5 : 30);
  }

  /** What answers can be held to, once the engine is there. */
  Constraints constraints() {
    Loaded l = loaded;
    if (l == null) {
      throw new IllegalStateException("no engine");
    }
    return l.constraints;
  }

  /** The name that the model goes by. */
  String model() {
    Loaded l = loaded;
    return l == null ? "" : l.model;
  }

  List<String> models() {
    return settings.models().isEmpty() ? List.of(model()) : settings.models();
  }

  /**
   * Checks the model that a request names. Any name will do unless the operator has given names.
   *
   * @throws ApiException 404 for another one
   */
  void checkModel(Fields body) {
    String name = body.string("model");
    if (name != null && !settings.models().isEmpty() && !settings.models().contains(name)) {
      throw ApiException.of(
          Kind.NOT_FOUND,
          "model: '%s' does not exist; this server has %s"
              .formatted(name, String.join(", ", settings.models())));
    }
  }
}
