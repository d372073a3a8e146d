package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpCases;
import dev.ridgeline.testing.OpParity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The list of op cases itself: it runs, and its tolerances notice wrong kernels. */
class OpCasesTest {
  @ParameterizedTest
  @MethodSource("dev.ridgeline.testing.OpCases#all")
  void theReferenceAgreesWithItself(OpCase c) {
    try (var reference = new ReferenceBackend()) {
      OpParity.check(c, reference);
    }
  }

  @Test
  void namesAreUnique() {
    assertThat(OpCases.all().map(OpCase::name)).doesNotHaveDuplicates();
  }
}
