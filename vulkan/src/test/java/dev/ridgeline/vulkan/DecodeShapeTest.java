package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodeShapeTest {
  /** Tables of a format, and what sums of lanes take beside them. */
  private static final int OTHERS = 256 * Integer.BYTES + 64 * Float.BYTES;

  @ParameterizedTest
  @CsvSource({"16, 4, 40960", "16, 4, 49152", "16, 4, 102400", "8, 8, 30720", "8, 8, 65536"})
  void everyShapeFitsTheSharedMemoryThatItIsUsedWith(int m, int sharers, int sharedBytes) {
    IntStream.rangeClosed(1, 4000)
        .map(i -> 64 * i)
        .forEach(
            rows -> {
              DecodeShape s = DecodeShape.of(rows, m);
              assertThat(s.subgroups() % s.slices()).as(s.toString()).isZero();
              assertThat(s.tiles() % 2).as("gate and up in pairs: %s", s).isZero();
              int sums = m * m * Float.BYTES;
              for (int n = m; n <= 8 * m; n *= 2) {
                int wide = s.wide(n, m, sums, sharers, sharedBytes);
                assertThat(s.wides()).contains(wide);
                int chunk = s.chunk(wide * m, wide, sums, sharers, sharedBytes);
                int x = s.slices() > 1 ? 16 : chunk * s.units() * 32 * sharers * wide * m * 2;
                assertThat(x + s.subgroups() * s.tall() * sums + OTHERS)
                    .as("%d rows, %s, %d steps of %d matrices", rows, s, chunk, wide)
                    .isLessThanOrEqualTo(sharedBytes);
              }
            });
  }
}
