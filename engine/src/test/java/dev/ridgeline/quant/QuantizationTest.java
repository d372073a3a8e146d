package dev.ridgeline.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class QuantizationTest {
  /**
   * Largest error of one element over the largest magnitude of its block. With levels {@code
   * -h..h-1}, the extreme element may sit between the last level and the next; the fit may move the
   * scale by 0.9 of a level and clip; sub-scales round by half a step of their own, and where they
   * are coarse the whole sub-block follows. The bounds are that worst case, in steps of the format,
   * not what is typical (that is the golden test's business).
   */
  private static double worstError(DType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 0x1p-11;
      case BF16 -> 0x1p-8;
      case Q8_0 -> 1.01 / 254;
      case Q6_K -> 2.0 / 32;
      case Q5_0, Q5_1, Q5_K -> 2.5 / 16;
      case Q4_0, Q4_1, Q4_K -> 2.5 / 8;
      case IQ4_NL, IQ4_XS, MXFP4 -> 3.0 / 8;
      case Q3_K -> 2.5 / 4;
      case Q2_K -> 1;
      case I8, I16, I32, I64, F64 -> throw new IllegalArgumentException(type.toString());
    };
  }

  @Property(tries = 100)
  void decodingAnEncodedRowStaysWithinTheFormatsStep(
      @ForAll("weightTypes") DType type, @ForAll("rows") float[] x) {
    float[] y = decoded(type, encoded(type, x), x.length);
    for (int block = 0; block < x.length; block += 256) {
      double largest = 0;
      for (int i = block; i < block + 256; i++) {
        largest = Math.max(largest, Math.abs(x[i]));
      }
      for (int i = block; i < block + 256; i++) {
        // Scales are f16: below its smallest step times the levels, everything is one step of it.
        assertThat(Math.abs(y[i] - x[i]))
            .as("%s element %d: %s became %s", type, i, x[i], y[i])
            .isLessThanOrEqualTo((float) (worstError(type) * largest + 0x1p-24 * 64 * 64));
      }
    }
  }

  @Property(tries = 100)
  void encodingWhatWasDecodedLosesLittleMore(
      @ForAll("weightTypes") DType type, @ForAll("rows") float[] x) {
    float[] once = decoded(type, encoded(type, x), x.length);
    float[] twice = decoded(type, encoded(type, once), x.length);
    double norm = 0;
    double change = 0;
    for (int i = 0; i < x.length; i++) {
      norm += Math.pow(x[i], 2);
      change += Math.pow(twice[i] - once[i], 2);
    }
    assertThat(change).isLessThanOrEqualTo(0.25 * worstError(type) * norm + 1e-6);
  }

  @Property(tries = 30)
  void zerosStayZeros(@ForAll("weightTypes") DType type) {
    for (float x : decoded(type, encoded(type, new float[512]), 512)) {
      assertThat(Math.abs(x)).as(type.toString()).isZero();
    }
  }

  @Property(tries = 100)
  void rowsAreBlocksOneAfterTheOther(@ForAll("weightTypes") DType type, @ForAll("rows") float[] x) {
    byte[] blocks = encoded(type, x);
    int n = type.blockElements();
    int last = x.length / n - 1;
    float[] whole = decoded(type, blocks, x.length);
    float[] part = new float[n + 3];
    Quantization.of(type)
        .decode(MemorySegment.ofArray(blocks), (long) last * type.blockBytes(), part, 3, n);
    assertThat(Arrays.copyOfRange(part, 3, n + 3))
        .isEqualTo(Arrays.copyOfRange(whole, last * n, x.length));
  }

  @Test
  void q4kFieldsLieWhereTheDocumentationSays() {
    byte[] block = new byte[144];
    MemorySegment s = MemorySegment.ofArray(block);
    Bits.putScale(s, 0, 1);
    Bits.putScale(s, 2, 1);
    // Sub-block 5: scale 0b10_0011 (nibble of byte 9, bits 6-7 of byte 1), min 0b01_0101.
    block[4 + 9] = 0x53;
    block[4 + 1] = (byte) 0x80;
    block[4 + 5] = 0x40;
    // Element 5 * 32 + 7 is the high nibble of qs[32 * 2 + 7].
    block[16 + 64 + 7] = (byte) 0xB0;
    float[] x = decoded(DType.Q4_K, block, 256);
    assertThat(x[5 * 32 + 7]).isEqualTo(35 * 11 - 21);
    assertThat(x[5 * 32 + 8]).isEqualTo(-21);
    assertThat(x[4 * 32 + 7]).isZero();
  }

  @Test
  void bf16RoundsToNearestWithTiesToEven() {
    float[] x = {
      Float.intBitsToFloat(0x3F80_8000),
      Float.intBitsToFloat(0x3F81_8000),
      Float.intBitsToFloat(0x3F80_8001),
      -0f,
      Float.POSITIVE_INFINITY,
      Float.MAX_VALUE
    };
    assertThat(decoded(DType.BF16, encoded(DType.BF16, x), x.length))
        .containsExactly(
            1f,
            Float.intBitsToFloat(0x3F82_0000),
            Float.intBitsToFloat(0x3F81_0000),
            -0f,
            Float.POSITIVE_INFINITY,
            Float.POSITIVE_INFINITY);
    float[] nan = {Float.intBitsToFloat(0x7F80_0001)};
    assertThat(decoded(DType.BF16, encoded(DType.BF16, nan), 1)[0]).isNaN();
  }

  @Test
  void mxfp4KeepsItsOwnNumbersAtEveryExponent() {
    float[] halves = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.5f, -1, -1.5f, -2, -3, -4, -6, 6};
    for (int exponent = -126; exponent <= 125; exponent++) {
      float[] x = new float[32];
      for (int i = 0; i < 32; i++) {
        x[i] = Math.scalb(halves[i % 16], exponent);
      }
      assertThat(decoded(DType.MXFP4, encoded(DType.MXFP4, x), 32)).isEqualTo(x);
    }
  }

  @Test
  void whatAFormatCannotHoldIsRefused() {
    float[] x = new float[256];
    x[3] = Float.NaN;
    assertThatThrownBy(() -> encoded(DType.Q4_K, x))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("element 3 is NaN");
    x[3] = 1e30f;
    assertThatThrownBy(() -> encoded(DType.Q4_K, x)).hasMessageContaining("past 65504");
    assertThatThrownBy(() -> encoded(DType.Q4_K, new float[255])).hasMessageContaining("256");
    assertThatThrownBy(() -> Quantization.of(DType.I32)).hasMessageContaining("I32");
  }

  @Provide
  Arbitrary<DType> weightTypes() {
    return Arbitraries.of(Stream.of(DType.values()).filter(DType::isWeight).toList());
  }

  /** Rows of 512, of mixed magnitudes: constant, one-sided, with outliers, tiny, large. */
  @Provide
  Arbitrary<float[]> rows() {
    Arbitrary<Float> magnitude = Arbitraries.of(1e-6f, 0.02f, 1f, 300f);
    Arbitrary<Float> offset = Arbitraries.of(0f, 0f, 0f, -3f, 1f);
    return magnitude.flatMap(
        m ->
            offset.flatMap(
                o ->
                    Arbitraries.floats()
                        .between(-1, 1)
                        .map(v -> (v + o) * m)
                        .array(float[].class)
                        .ofSize(512)));
  }

  private static byte[] encoded(DType type, float[] x) {
    byte[] blocks = new byte[(int) type.bytes(x.length)];
    Quantization.of(type).encode(x, 0, MemorySegment.ofArray(blocks), 0, x.length);
    return blocks;
  }

  private static float[] decoded(DType type, byte[] blocks, int n) {
    float[] x = new float[n];
    Quantization.of(type).decode(MemorySegment.ofArray(blocks), 0, x, 0, n);
    return x;
  }
}
