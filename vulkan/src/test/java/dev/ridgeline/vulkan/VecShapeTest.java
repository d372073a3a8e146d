package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VecShapeTest {
  private static final int[] ROWS = {1, 17, 256, 1024, 4096, 5376, 14_336, 21_504, 53_248, 262_144};
  private static final int[] TOKENS = {1, 2, 3, 4, 6, 8};

  @ParameterizedTest
  @ValueSource(ints = {256, 512, 1024})
  void everyShapeFitsItsDeviceAndIsMadeOfWholePasses(int invocations) {
    IntStream.rangeClosed(1, 1024)
        .map(units -> 32 * units)
        .forEach(
            cols -> {
              for (int matrices = 1; matrices <= 2; matrices++) {
                int slices = VecShape.of(cols, 1, matrices, 1, invocations, 8, 6).slices();
                for (int rows : ROWS) {
                  for (int tokens : TOKENS) {
                    VecShape s =
                        VecShape.of(
                            cols,
                            rows,
                            matrices,
                            tokens,
                            invocations,
                            tokens % 2 == 0 ? 4 : 8,
                            4 + tokens);
                    assertThat(s.invocations()).isBetween(32, invocations);
                    assertThat(s.rows() % s.atOnce()).as(s.toString()).isZero();
                    assertThat(s.atOnce()).as("a pass is whole").isLessThanOrEqualTo(rows);
                    assertThat(s.slices()).as("sums depend on cols alone").isEqualTo(slices);
                    assertThat(matrices * s.tall() % (matrices > 1 ? 64 : 1)).isZero();
                    int sums = matrices * s.slices() * s.tall() * tokens;
                    assertThat(4 * sums).as(s.toString()).isLessThanOrEqualTo(16 << 10);
                  }
                }
              }
            });
  }
}
