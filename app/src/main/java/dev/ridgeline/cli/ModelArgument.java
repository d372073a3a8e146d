package dev.ridgeline.cli;

import dev.ridgeline.scheduler.Engine;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code -m MODEL}, with the built-in model where it is left out. */
final class ModelArgument {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "A GGUF file (of a split model: any part). Default: the built-in model.")
  private @Nullable Path model;

  Path path() {
    return model == null ? BuiltinModel.path() : model;
  }

  /** What to call it before people. */
  String title(Engine engine) {
    return model == null ? "the built-in story writer" : engine.model().name();
  }
}
