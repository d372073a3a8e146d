package dev.ridgeline.quantize.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The searches against the plain scalar encoders, through the scalar decoders. */
class BlockEncoderTest {
  static Stream<DType> quantized() {
    return Arrays.stream(DType.values()).filter(t -> t.isWeight() && t.isQuantized());
  }

  /**
   * Both minimize a squared error by trying scales; the searches weigh large elements more, which
   * costs up to 3 % of the plain error (Q2_K most), and win more than that back, but for Q4_0 to
   * Q8_0, whose scale follows from the extremes without a search: 12 % at most, on noise.
   */
  @ParameterizedTest
  @MethodSource("quantized")
  void errorsAreAboutThoseOfTheScalarEncoderOrSmaller(DType type) {
    float[] x = noise(1, 256 * 67);
    byte[] blocks = new byte[(int) type.bytes(x.length)];
    Quantization.of(type).encode(x, 0, MemorySegment.ofArray(blocks), 0, x.length);
    double scalar = error(x, decode(type, blocks), null);

    double found = error(x, decode(type, encode(type, x, null)), null);

    boolean plain = type.name().matches("Q[458]_[01]");
    assertThat(found / scalar).isLessThan(plain ? 1.12 * 1.12 : 1.03 * 1.03);
  }

  /** Lanes never touch each other. */
  @ParameterizedTest
  @MethodSource("quantized")
  void aBlocksBytesDoNotDependOnTheBlocksBesideIt(DType type) {
    float[] x = noise(2, 256 * 19);
    byte[] together = encode(type, x, null);
    int blockBytes = (int) type.bytes(256);
    for (int block = 0; block < 19; block += 3) {
      byte[] alone = encode(type, Arrays.copyOfRange(x, 256 * block, 256 * (block + 1)), null);
      assertThat(Arrays.copyOfRange(together, blockBytes * block, blockBytes * (block + 1)))
          .isEqualTo(alone);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "IQ4_NL", "IQ4_XS", "Q4_0", "Q4_1", "Q5_0", "Q5_1"})
  void anImportanceMatrixMakesTheErrorsSmallerThatItWeighs(DType type) {
    float[] x = noise(3, 256 * 64);
    float[] importance = new float[x.length];
    Random random = new Random(4);
    for (int i = 0; i < x.length; i++) {
      importance[i] = (float) Math.exp(2 * random.nextGaussian());
    }

    double with = error(x, decode(type, encode(type, x, importance)), importance);
    double without = error(x, decode(type, encode(type, x, null)), importance);

    assertThat(with).isLessThan(0.95 * without);
  }

  @ParameterizedTest
  @MethodSource("quantized")
  void blocksOfZerosStayZeros(DType type) {
    for (float y : decode(type, encode(type, new float[512], null))) {
      assertThat(y == 0).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("quantized")
  void elementsOfOneSignAndElementsAllAlikeAreKept(DType type) {
    for (float sign : new float[] {1, -1}) {
      float[] x = new float[512];
      Arrays.fill(x, 0, 256, sign * 0.75f);
      for (int i = 256; i < 512; i++) {
        x[i] = sign * (0.5f + i / 1024f);
      }
      float[] y = decode(type, encode(type, x, null));
      for (int i = 0; i < 512; i++) {
        // Half a step of the coarsest format, Q2_K's of a range of 1 in 4 levels.
        assertThat(y[i]).as("%s element %d", type, i).isBetween(x[i] - 0.18f, x[i] + 0.18f);
      }
    }
  }

  /** Ranges whose inverse is infinite, and those below any scale that a block can state. */
  @ParameterizedTest
  @MethodSource("quantized")
  void elementsTooSmallForAnyScaleBecomeNothingWorse(DType type) {
    for (float size : new float[] {1e-9f, 1e-30f, Float.MIN_VALUE}) {
      float[] x = noise(5, 512);
      for (int i = 0; i < x.length; i++) {
        x[i] *= size;
      }
      for (float y : decode(type, encode(type, x, null))) {
        // The smallest scale is 2^-24, MXFP4's 2^-128; sub-scales and levels reach 63 * 63.
        assertThat(Math.abs(y)).isLessThanOrEqualTo(0x1p-24f * 64 * 64);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q6_K", "IQ4_NL", "IQ4_XS"})
  void elementsTooLargeForTheScaleAreRefused(DType type) {
    float[] x = new float[256];
    Arrays.fill(x, 1e30f);
    x[3] = -1e30f;

    assertThatThrownBy(() -> encode(type, x, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("past 65504");
  }

  private static float[] noise(long seed, int n) {
    var random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static byte[] encode(DType type, float[] x, float @Nullable [] importance) {
    byte[] blocks = new byte[(int) type.bytes(x.length)];
    BlockEncoder.of(type).encode(x, importance, x.length, blocks, 0);
    return blocks;
  }

  private static float[] decode(DType type, byte[] blocks) {
    float[] y = new float[blocks.length / type.blockBytes() * type.blockElements()];
    Quantization.of(type).decode(MemorySegment.ofArray(blocks), 0, y, 0, y.length);
    return y;
  }

  private static double error(float[] x, float[] y, float @Nullable [] weights) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double e = (double) x[i] - y[i];
      sum += (weights == null ? 1 : weights[i]) * e * e;
    }
    return sum;
  }
}
