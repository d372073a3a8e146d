package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.graph.Fusion;
import dev.ridgeline.testing.ModelRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A fused graph of every architecture gives the logits of the plain one. */
class FusionParityTest {
  /**
   * The reference rounds each op's result to float32 once, so a fusion leaves out some roundings of
   * 2^-25 (root mean square) of a branch: 5e-7 of logits of deviation 3 over some 20 ops. A flip of
   * a float16 rounding of K or V behind it counts 2e-4 of one element in a row of 128.
   */
  private static final Offset<Float> ROUNDING = within(1e-3f);

  @TempDir static Path folder;

  static Stream<GoldenCase> cases() {
    return GoldenCase.ALL.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fusedAndPlainGraphsGiveTheSameLogits(GoldenCase golden) throws IOException {
    Path model = golden.model(folder);
    float[] plain;
    try (var run = new ModelRun(model, "reference", 32, UnaryOperator.identity())) {
      plain = run.append(GoldenCase.prompt(32));
    }
    try (var run = new ModelRun(model, "reference", 32, Fusion::fuse)) {
      assertThat(run.append(GoldenCase.prompt(32))).containsExactly(plain, ROUNDING);
    }
  }
}
