package dev.ridgeline.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.tensor.DType;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A token's products are the same bits whatever the number of tokens in the call. */
class BatchInvarianceTest {
  private static final int TOKENS = 33;
  private static final int ROWS = 13;

  static Stream<Arguments> formats() {
    return Widths.all().stream()
        .flatMap(
            bits ->
                Stream.of(DType.values())
                    .filter(DType::isWeight)
                    .map(type -> Arguments.of(bits, type)));
  }

  @ParameterizedTest
  @MethodSource("formats")
  @SuppressWarnings("unchecked") // created by name
  void aTokensProductsDoNotDependOnTheNumberOfTokens(int bits, DType type) {
    var multiply =
        (Function<Object[], float[]>) Widths.create(bits, "dev.ridgeline.cpu.vector.WidthProducts");
    int block = type.isQuantized() ? type.blockElements() : 1;
    int[] widths = {3 * Math.max(block, 32), type.isQuantized() ? 9 * block : 1061, 2304};
    for (int cols : widths) {
      var random = new Random(cols);
      byte[] weights = weights(type, cols, random);
      float[] x = new float[TOKENS * cols];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) random.nextGaussian();
      }
      float[][] results = new float[TOKENS + 1][];
      for (int tokens = 1; tokens <= TOKENS; tokens++) {
        results[tokens] =
            multiply.apply(new Object[] {type.name(), weights, ROWS, cols, x, tokens});
      }
      for (int tokens = 1; tokens < TOKENS; tokens++) {
        assertThat(results[tokens])
            .as("%d tokens of %d columns", tokens, cols)
            .isEqualTo(Arrays.copyOf(results[TOKENS], tokens * ROWS));
      }
      // The last token alone, as the first of a call.
      float[] last =
          multiply.apply(
              new Object[] {
                type.name(),
                weights,
                ROWS,
                cols,
                Arrays.copyOfRange(x, (TOKENS - 1) * cols, TOKENS * cols),
                1
              });
      assertThat(last)
          .as("token %d of %d columns alone", TOKENS - 1, cols)
          .isEqualTo(Arrays.copyOfRange(results[TOKENS], (TOKENS - 1) * ROWS, TOKENS * ROWS));
    }
  }

  /** Any bits, but no infinities: the upper exponent bits of every 16-bit float are cleared. */
  private static byte[] weights(DType type, int cols, Random random) {
    byte[] bytes = new byte[Math.toIntExact(ROWS * type.bytes(cols))];
    random.nextBytes(bytes);
    int step = type == DType.F32 ? 4 : 2;
    if (type == DType.F32 || type == DType.F16 || type == DType.BF16) {
      for (int i = step - 1; i < bytes.length; i += step) {
        bytes[i] &= (byte) 0xBF;
      }
    } else {
      for (int at = 0; at < bytes.length; at += type.blockBytes()) {
        for (int scale : scaleBytes(type)) {
          bytes[at + scale] &= (byte) 0xBF;
        }
      }
    }
    return bytes;
  }

  /** Where a block has the upper halves of its float16 scales. */
  private static int[] scaleBytes(DType type) {
    return switch (type) {
      case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS -> new int[] {1};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {1, 3};
      case Q2_K -> new int[] {81, 83};
      case Q3_K -> new int[] {109};
      case Q6_K -> new int[] {209};
      case MXFP4 -> new int[] {0};
      case F32, F16, BF16, I8, I16, I32, I64, F64 -> new int[0];
    };
  }
}
