package dev.ridgeline.cli;

import picocli.CommandLine.Option;

/** How much a model may remember. */
final class ContextArguments {
  @Option(
      names = {"-c", "--ctx"},
      paramLabel = "N",
      description =
          "Tokens of context. Default: what the model was trained for, as far as memory allows.")
  int context;

  @Option(
      names = {"-b", "--batch"},
      paramLabel = "N",
      description = "Most prompt tokens in one step. Default: 512.")
  int batch = 512;
}
