package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.RopeParams;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against what ggml itself computes: {@code src/test/golden/OpGolden.java} wrote the fixture and
 * says what its lines hold.
 */
class ReferenceGoldenTest {
  /**
   * ggml multiplies its way from one pair's float32 angle to the next one's: after i pairs the
   * angle {@code p * base^(-2i/dims)} is off by up to i + 2 roundings, and sine and cosine with it.
   * The largest {@code (i + 2) * angle} is under {@code 4 p} for the bases here.
   */
  @ParameterizedTest
  @MethodSource("ropeLines")
  void rotatesAsGgmlDoes(String line) {
    String[] f = line.split(" ", -1);
    int headDim = Integer.parseInt(f[2]);
    int dims = Integer.parseInt(f[3]);
    int position = Integer.parseInt(f[12]);
    var params =
        new RopeParams(
            RopeParams.Layout.valueOf(f[1]),
            headDim,
            dims,
            Float.parseFloat(f[4]),
            Float.parseFloat(f[5]),
            Float.parseFloat(f[6]),
            Float.parseFloat(f[7]),
            Float.parseFloat(f[8]),
            Float.parseFloat(f[9]),
            Integer.parseInt(f[10]));
    float[] x = new float[headDim];
    for (int i = 0; i < headDim; i++) {
      x[i] = (float) Math.sin(i + 1);
    }
    Rotation.rotate(x, 0, headDim, position, params, factors(Float.parseFloat(f[11]), dims));
    double tolerance = 2 * 0x1p-23 * (4 * position + 4);
    for (int i = 0; i < headDim; i++) {
      assertThat((double) x[i])
          .as("element %d", i)
          .isEqualTo(Float.parseFloat(f[13 + i]), within(tolerance));
    }
  }

  private static float[] factors(float step, int dims) {
    float[] factors = new float[dims / 2];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = 1 + i * step;
    }
    return factors;
  }

  /** ggml's GELU looks a float16 result up by a float16 argument: 2^-11 of each. */
  @ParameterizedTest
  @MethodSource("gateLines")
  void gatesAsGgmlDoes(String line) {
    String[] f = line.split(" ", -1);
    var activation = Activation.valueOf(f[1]);
    double gate = Float.parseFloat(f[2]);
    double up = Float.parseFloat(f[3]);
    double unit = activation == Activation.GELU_TANH ? 0x1p-10 : 0x1p-20;
    assertThat(Activations.apply(activation, gate, up))
        .isEqualTo(
            Float.parseFloat(f[4]), within(unit * Math.abs(gate) * (Math.abs(up) + 1) + 1e-12));
  }

  static Stream<String> ropeLines() throws IOException {
    return lines("rope ");
  }

  static Stream<String> gateLines() throws IOException {
    return lines("gate ");
  }

  private static Stream<String> lines(String start) throws IOException {
    try (InputStream in = ReferenceGoldenTest.class.getResourceAsStream("ggml.txt")) {
      assertThat(in).as("the fixture ggml.txt").isNotNull();
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return text.lines().filter(l -> l.startsWith(start));
    }
  }
}
