package dev.ridgeline.cli;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.KvType;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where and how a model runs. */
final class BackendArguments {
  /** For completion; a name that is not built in is still accepted. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of("auto", "cpu", "vulkan", "reference").iterator();
    }
  }

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      completionCandidates = Names.class,
      description = "auto, cpu, vulkan or reference. Default: auto.")
  String backend = "auto";

  @Mixin private DeviceArguments devices = new DeviceArguments();

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
    // More than the machine has never helps, and each spins while it waits for the others.
    int most = 4 * Runtime.getRuntime().availableProcessors();
    if (threads < 0 || threads > most) {
      throw new Errors.InputException(
          "--threads: expected 1 to %d, or 0 for one a physical core, found %d"
              .formatted(most, threads));
    }
    return devices.options(threads);
  }
}
