package dev.ridgeline.backend;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** How much memory this process may still take. */
public final class HostMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Path CGROUP = Path.of("/sys/fs/cgroup");

  private HostMemory() {}

  /**
   * Bytes that can be used without swapping: free memory and files that are only cached, within the
   * limit of the container (cgroup v2). Where the system does not say, all physical memory.
   */
  public static long availableBytes() {
    try {
      return Math.min(
          ofMachine(Files.exists(MEMINFO) ? Files.readAllLines(MEMINFO) : List.of()),
          ofContainer(CGROUP).orElse(Long.MAX_VALUE));
    } catch (IOException e) {
      throw new UncheckedIOException("reading how much memory is available", e);
    }
  }

  static long ofMachine(List<String> meminfo) {
    for (String line : meminfo) {
      if (line.startsWith("MemAvailable:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getTotalMemorySize();
  }

  static Optional<Long> ofContainer(Path cgroup) throws IOException {
    Path max = cgroup.resolve("memory.max");
    if (!Files.exists(max) || Files.readString(max).strip().equals("max")) {
      return Optional.empty();
    }
    long limit = Long.parseLong(Files.readString(max).strip());
    long used = Long.parseLong(Files.readString(cgroup.resolve("memory.current")).strip());
    long cachedFiles = 0;
    for (String line : Files.readAllLines(cgroup.resolve("memory.stat"))) {
      if (line.startsWith("file ")) {
        cachedFiles = Long.parseLong(line.substring(5).strip());
      }
    }
    return Optional.of(Math.max(0, limit - (used - cachedFiles)));
  }
}
