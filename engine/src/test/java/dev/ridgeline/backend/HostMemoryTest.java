package dev.ridgeline.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  @TempDir private Path cgroup;

  @Test
  void theMachineSaysWhatIsAvailable() {
    List<String> meminfo =
        List.of("MemTotal:       24000000 kB", "MemFree: 1 kB", "MemAvailable:   2000000 kB");
    assertThat(HostMemory.ofMachine(meminfo)).isEqualTo(2_048_000_000L);
    assertThat(HostMemory.ofMachine(List.of())).as("all there is").isPositive();
    assertThat(HostMemory.availableBytes()).isPositive();
  }

  @Test
  void aContainerLimitsItAndItsCachedFilesDoNotCount() throws IOException {
    assertThat(HostMemory.ofContainer(cgroup)).isEmpty();
    Files.writeString(cgroup.resolve("memory.max"), "max\n");
    assertThat(HostMemory.ofContainer(cgroup)).isEmpty();
    Files.writeString(cgroup.resolve("memory.max"), "1000\n");
    Files.writeString(cgroup.resolve("memory.current"), "700\n");
    Files.writeString(cgroup.resolve("memory.stat"), "anon 300\nfile 400\nfile_mapped 100\n");
    assertThat(HostMemory.ofContainer(cgroup)).contains(700L);
  }
}
