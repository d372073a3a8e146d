package dev.ridgeline.quant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against what ggml itself decodes: {@code src/test/golden/QuantGolden.java} wrote the fixture and
 * says what its lines hold.
 */
class QuantizationGoldenTest {
  @ParameterizedTest
  @MethodSource("decodeLines")
  void decodesToTheBitsThatGgmlDecodesTo(String line) {
    String[] fields = line.split(" ", -1);
    DType type = DType.valueOf(fields[1]);
    byte[] block = HexFormat.of().parseHex(fields[2]);
    float[] decoded = new float[type.blockElements()];
    Quantization.of(type).decode(MemorySegment.ofArray(block), 0, decoded, 0, decoded.length);
    for (int i = 0; i < 8; i++) {
      assertThat(Integer.toHexString(Float.floatToRawIntBits(decoded[i])))
          .as("%s element %d", type, i)
          .isEqualTo(Integer.toHexString(HexFormat.fromHexDigits(fields[4 + i])));
    }
    assertThat(crc(decoded)).as("CRC-32 of all of %s", type).isEqualTo(fields[3]);
  }

  /** Both choose scales by least squares; neither uses an importance matrix. */
  @ParameterizedTest
  @MethodSource("rmsLines")
  void encodesGaussiansNearlyAsWellAsGgml(String line) {
    String[] fields = line.split(" ", -1);
    DType type = DType.valueOf(fields[1]);
    float[] x = new float[8192];
    Random random = new Random(1);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    float[] y = new float[x.length];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blocks = arena.allocate(type.bytes(x.length));
      Quantization.of(type).encode(x, 0, blocks, 0, x.length);
      Quantization.of(type).decode(blocks, 0, y, 0, y.length);
    }
    double error = 0;
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      error += Math.pow(y[i] - x[i], 2);
      sum += Math.pow(x[i], 2);
    }
    assertThat(Math.sqrt(error / sum)).isLessThan(1.03 * Double.parseDouble(fields[2]));
  }

  private static String crc(float[] x) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * x.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(x);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return Long.toHexString(crc.getValue());
  }

  static Stream<String> decodeLines() throws IOException {
    return lines().stream().filter(l -> l.startsWith("decode "));
  }

  static Stream<String> rmsLines() throws IOException {
    return lines().stream().filter(l -> l.startsWith("rms "));
  }

  private static List<String> lines() throws IOException {
    try (InputStream in = QuantizationGoldenTest.class.getResourceAsStream("ggml.txt")) {
      assertThat(in).as("the fixture ggml.txt").isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
  }
}
