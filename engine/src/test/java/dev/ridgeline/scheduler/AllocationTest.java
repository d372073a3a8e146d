package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class AllocationTest {
  private static final int BYTES_PER_TOKEN = 2048;

  @TempDir private Path folder;

  /** All threads together: the step, its workers, and the reader. */
  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void aTokenAllocatesLittle(String backend) throws IOException {
    Path file = TinyFile.write(folder);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    GenerateParams params =
        GenerateParams.builder().ignoreEos(true).maxTokens(200).stop("qqq").build();
    EngineOptions options = EngineOptions.builder().backend(backend).parallel(4).build();
    try (Engine engine = Engine.open(file, options)) {
      long least = Long.MAX_VALUE;
      // Until the JIT has compiled what a token runs: vector kernels allocate until then.
      for (int round = 0; round < 60 && least >= BYTES_PER_TOKEN; round++) {
        long before = threads.getTotalThreadAllocatedBytes();
        var streams = IntStream.range(0, 4).mapToObj(_ -> engine.generate("abc", params)).toList();
        int tokens = streams.stream().mapToInt(s -> s.collect().tokens().size()).sum();
        least = Math.min(least, (threads.getTotalThreadAllocatedBytes() - before) / tokens);
      }
      assertThat(least).isLessThan(BYTES_PER_TOKEN);
    }
  }
}
