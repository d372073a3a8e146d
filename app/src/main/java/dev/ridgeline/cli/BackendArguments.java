package dev.ridgeline.cli;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.KvType;
import picocli.CommandLine.Option;

/** Where and how a model runs. */
final class BackendArguments {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "auto, cpu, vulkan or reference. Default: auto.")
  String backend = "auto";

  @Option(
      names = "--device",
      paramLabel = "N",
      description = "Which GPU, as doctor counts them. Default: 0.")
  int device;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Compute threads. Default: one for each physical core.")
  int threads;

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description = "Element type of the KV cache: f16 or q8_0. Default: f16.")
  KvType kvType = KvType.F16;

  BackendOptions options() {
    return new BackendOptions(threads, device);
  }
}
