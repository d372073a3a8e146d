package dev.ridgeline.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.KvType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchTest {
  @TempDir private Path folder = Path.of("");

  private Setup setup(KvType kvType) {
    return new Setup(TinyStudy.source(folder), "reference", BackendOptions.DEFAULTS, 8, kvType);
  }

  @Test
  void eachLengthAtEachDepthInEachWayIsARowAndRepeatsGoRound() {
    var plan = new BenchPlan(List.of(8), List.of(2, 0), List.of(0, 4), List.of(2), 0);
    List<String> said = new ArrayList<>();
    List<Bench.Row> rows;
    try (Bench bench = new Bench(plan, said::add)) {
      rows = bench.run(List.of(setup(KvType.F16), setup(KvType.Q8_0)));
    }

    assertThat(rows).hasSize(8).allMatch(r -> r.seconds().size() == 2);
    assertThat(rows).extracting(Bench.Row::depth).containsExactly(0, 0, 4, 4, 0, 0, 4, 4);
    List<String> runs =
        said.stream().filter(s -> s.startsWith("run ")).map(s -> s.substring(0, 5)).toList();
    List<String> expected = new ArrayList<>();
    IntStream.rangeClosed(1, 2)
        .forEach(r -> IntStream.range(0, 8).forEach(_ -> expected.add("run " + r)));
    assertThat(runs).isEqualTo(expected);
  }

  @Test
  void aQuantizedKvCacheCostsFewerBytes() {
    var plan = new BenchPlan(List.of(), List.of(1), List.of(100), List.of(1), 0);
    try (Bench bench = new Bench(plan, _ -> {})) {
      List<Bench.Row> rows = bench.run(List.of(setup(KvType.F16), setup(KvType.Q8_0)));

      // K and V of 101 positions, 3 layers, 2 heads of 64 elements: 2 bytes each, or 34 for 32; and
      // one position more, written.
      double elements = (101 + 1) * 3 * 2 * 2 * 64;
      assertThat(rows.get(0).bytesPerToken() - rows.get(1).bytesPerToken())
          .isEqualTo(elements * (2 - 34 / 32.0));
    }
  }

  @Test
  void runsAreSteadyOnceTheLastThreeAgree() {
    assertThat(WarmUp.agree(List.of(2.0, 1.0, 1.01))).isFalse();
    assertThat(WarmUp.agree(List.of(2.0, 1.0, 1.01, 1.02))).isTrue();
    assertThat(WarmUp.agree(List.of(1.0, 1.0))).isFalse();
    var seconds = Arrays.asList(5.0, 1.0, 1.0, 1.0).iterator();
    assertThat(WarmUp.until(60, seconds::next).steady()).isTrue();
    assertThat(seconds).isExhausted();
  }

  @Test
  void plansThatMeasureNothingOrLessAreRefused() {
    assertThatThrownBy(() -> new BenchPlan(List.of(0), List.of(), List.of(0), List.of(1), 0))
        .hasMessageContaining("nothing to measure");
    assertThatThrownBy(() -> new BenchPlan(List.of(1), List.of(), List.of(0), List.of(0), 0))
        .hasMessageContaining("repeats");
  }
}
