package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpParity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op case at every vector width, with one, two and three threads. */
class CpuParityTest {
  private static Backend[] backends = {};

  @BeforeAll
  static void open() {
    backends = Widths.backends(1, 2, 3);
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
