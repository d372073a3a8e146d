package dev.ridgeline.lab.study;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.lab.TinyStudy;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaunchProbeTest {
  private static StepProfile step(long wall, double... partNanos) {
    return new StepProfile(
        java.util.Arrays.stream(partNanos)
            .mapToObj(n -> new StepProfile.Part("kernel", List.of(), 0, n))
            .toList(),
        wall);
  }

  /** Of the first part 2 us, of the second 3; the step takes 10 us beside them. */
  @Test
  void aDeviceWithAClockTellsWhatItsShortestKernelAndAStepTake() {
    var probe =
        LaunchProbe.of(
            List.of(step(15_000, 2000, 3000), step(15_000, 2000, 3000), step(99_000, 1, 70_000)),
            1);

    // Two kernels for one op.
    assertThat(probe.microsPerOp()).isEqualTo(4);
    assertThat(probe.microsPerStep()).isEqualTo(10);
  }

  @Test
  void aPartThatNoTickFellIntoTellsNothing() {
    assertThat(LaunchProbe.of(List.of(step(9000, 0, 3000)), 2).microsPerOp()).isEqualTo(3);
  }

  @Test
  void withoutAClockTheStepOverItsOpsIsTheBound() throws IOException {
    try (var machine = TinyStudy.machine()) {
      LaunchProbe probe = LaunchProbe.of(machine, KvType.F16, 0);

      assertThat(probe.microsPerOp()).isPositive();
      assertThat(probe.microsPerStep()).isNull();
    }
  }
}
