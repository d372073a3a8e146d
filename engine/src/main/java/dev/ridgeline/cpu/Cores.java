package dev.ridgeline.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.stream.Stream;

/** How many cores there are. */
final class Cores {
  private static final Path CPUS = Path.of("/sys/devices/system/cpu");

  private Cores() {}

  /**
   * Physical cores that this process may use: two hardware threads of a core share its vector units
   * and only wait for each other. Where the system does not tell them apart, all processors.
   */
  static int physical() {
    int available = Runtime.getRuntime().availableProcessors();
    if (!Files.isDirectory(CPUS)) {
      return available;
    }
    try (Stream<Path> cpus = Files.list(CPUS)) {
      var siblings = new HashSet<String>();
      for (Path cpu : cpus.toList()) {
        Path list = cpu.resolve("topology/thread_siblings_list");
        if (cpu.getFileName().toString().matches("cpu\\d+") && Files.isReadable(list)) {
          siblings.add(Files.readString(list).strip());
        }
      }
      return siblings.isEmpty() ? available : Math.min(available, siblings.size());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + CPUS, e);
    }
  }
}
