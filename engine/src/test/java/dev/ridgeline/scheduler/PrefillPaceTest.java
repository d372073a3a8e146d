package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** How much of prompts joins those who are generating, on devices whose steps take known times. */
class PrefillPaceTest {
  private static final int MOST = 512;

  /** Milliseconds of a step of llama-8b Q4_K_M on an H200: other kernels from 5, 17, 33 on. */
  private static double h200(int n) {
    if (n <= 32) {
      return n <= 4 ? 3.7 : n <= 16 ? 4.4 : 6.7;
    }
    return 10 + Math.max(5, 0.07 * n);
  }

  /** A processor: the weights once, and every token. */
  private static double processor(int n) {
    return 2 + 0.6 * n;
  }

  /** A pace that has seen steps of {@code generating} tokens and prompts of all sizes come in. */
  private static PrefillPace learned(IntToDoubleFunction millis, int maxGap, int generating) {
    var pace = new PrefillPace(maxGap * 1_000_000L);
    for (int round = 0; round < 8; round++) {
      run(pace, millis, generating);
      for (int pending = 5; pending < 2 * MOST; pending += pending / 3) {
        run(pace, millis, step(pace, generating, pending));
      }
    }
    return pace;
  }

  private static int step(PrefillPace pace, int generating, int pending) {
    return generating + Math.min(pace.applyAsInt(generating, pending), pending);
  }

  private static void run(PrefillPace pace, IntToDoubleFunction millis, int n) {
    pace.observe((long) (1e6 * millis.applyAsDouble(n)), n);
  }

  @Test
  void aShortPromptTakesStepsOfTheKernelsForFewTokens() {
    PrefillPace pace = learned(PrefillPaceTest::h200, 50, 12);
    assertThat(step(pace, 12, 40)).isEqualTo(32);
    assertThat(step(pace, 12, 20)).isEqualTo(32);
  }

  @Test
  void longPromptsTakeOneLargeStep() {
    PrefillPace pace = learned(PrefillPaceTest::h200, 50, 12);
    assertThat(step(pace, 12, 192)).isEqualTo(204);
    assertThat(step(pace, 12, 400)).isEqualTo(412);
  }

  @Test
  void noStepTakesLongerThanTheGap() {
    for (int gap : new int[] {8, 16, 25, 50}) {
      PrefillPace pace = learned(PrefillPaceTest::h200, gap, 12);
      for (int pending = 1; pending <= MOST; pending++) {
        assertThat(h200(step(pace, 12, pending))).isLessThanOrEqualTo(gap);
      }
    }
  }

  @Test
  void whereEveryTokenTakesItsTimePromptsFillTheGap() {
    PrefillPace pace = learned(PrefillPaceTest::processor, 50, 12);
    assertThat(step(pace, 12, 40)).isEqualTo(52);
    assertThat(processor(step(pace, 12, MOST))).isBetween(35.0, 50.0);
  }

  @Test
  void promptsGetOnHoweverSlowTheMachineIs() {
    PrefillPace pace = learned(n -> 300 + 100 * n, 50, 12);
    assertThat(pace.applyAsInt(12, 400)).isEqualTo(PrefillPace.LEAST);
    assertThat(new PrefillPace(0).applyAsInt(12, 400)).isEqualTo(PrefillPace.UNKNOWN);
  }

  @Test
  void aSlowFirstStepOfASizeIsForgotten() {
    var pace = new PrefillPace(50_000_000);
    run(pace, PrefillPaceTest::h200, 12);
    pace.observe(2_000_000_000, 32); // kernels are compiled
    assertThat(step(pace, 12, 20)).isNotEqualTo(32);
    for (int i = 0; i < 2000; i++) {
      run(pace, PrefillPaceTest::h200, step(pace, 12, i % 5 == 0 ? 20 : 0));
    }
    assertThat(step(pace, 12, 20)).isEqualTo(32);
  }
}
