package dev.ridgeline.cli;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import java.io.PrintWriter;
import java.nio.file.Path;

/** Opens engines as the options of a command say. */
final class Engines {
  private Engines() {}

  /** What every command that runs a model may set. */
  static EngineOptions.Builder options(BackendArguments backend, ContextArguments context) {
    return EngineOptions.builder()
        .backend(backend.backend)
        .backendOptions(backend.options())
        .kvType(backend.kvType)
        .context(context.context)
        .batchTokens(context.batch);
  }

  /** Opens {@code path} with room for one sequence. */
  static Engine open(
      PrintWriter err, Path path, BackendArguments backend, ContextArguments context) {
    Progress progress = new Progress(err);
    try {
      Engine engine =
          Engine.open(
              path,
              options(backend, context)
                  .parallel(1)
                  .onPlan(plan -> err.println("memory: " + plan))
                  .onLoad((done, all) -> progress.bytes("loading", done, all))
                  .build());
      engine
          .backend()
          .degradations()
          .forEach(d -> err.println("slower than it could be: " + d.text()));
      err.flush();
      return engine;
    } finally {
      progress.clear();
    }
  }
}
