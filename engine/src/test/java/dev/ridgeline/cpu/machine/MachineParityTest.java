package dev.ridgeline.cpu.machine;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.cpu.CpuBackend;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpParity;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op case with this machine's machine-code kernels, on one, two and three threads. */
class MachineParityTest {
  private static Backend[] backends = {};

  @BeforeAll
  static void open() {
    MachineKernels found = MachineKernels.find();
    Assumptions.assumeFalse(found.kernels().isEmpty(), found::instructions);
    backends =
        IntStream.of(1, 2, 3)
            .mapToObj(threads -> new CpuBackend(new BackendOptions(threads, 0)))
            .toArray(Backend[]::new);
  }

  @AfterAll
  static void close() {
    for (Backend backend : backends) {
      backend.close();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.ridgeline.testing.OpCases#all")
  void agreesWithTheReference(OpCase c) {
    OpParity.check(c, backends);
  }
}
