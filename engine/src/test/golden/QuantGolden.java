import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import java.util.Random;

/**
 * Writes what ggml itself decodes, for {@code QuantizationGoldenTest}, to standard output. Run where
 * ggml's shared library is installed:
 *
 * <pre>
 *   ../shared/oracles/inside java --enable-native-access=ALL-UNNAMED \
 *       engine/src/test/golden/QuantGolden.java libggml-base.so.0 \
 *       > engine/src/test/resources/dev/ridgeline/quant/ggml.txt
 * </pre>
 *
 * Lines: {@code decode TYPE <block, hex> <CRC-32 of the decoded float32 bytes, hex> <first eight of
 * them, hex bits>}, and {@code rms TYPE <relative error>}: root mean square error of ggml's own
 * encoder, without an importance matrix, on {@code new Random(1)}'s first 8,192 Gaussians in rows of
 * 256, over their root mean square.
 */
final class QuantGolden {
  private static final String[] TYPES = {
    "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_K", "q3_K", "q4_K", "q5_K", "q6_K", "iq4_nl",
    "iq4_xs", "mxfp4"
  };
  private static final int[] BLOCK_BYTES = {
    18, 20, 22, 24, 34, 84, 110, 144, 176, 210, 18, 136, 17
  };
  private static final int[] BLOCK_ELEMENTS = {
    32, 32, 32, 32, 32, 256, 256, 256, 256, 256, 32, 256, 32
  };
  /** Bytes where a block's f16 scales start; they get finite values of every magnitude. */
  private static final int[][] SCALES_AT = {
    {0}, {0, 2}, {0}, {0, 2}, {0}, {80, 82}, {108}, {0, 2}, {0, 2}, {208}, {0}, {0}, {}
  };

  public static void main(String[] args) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup ggml = SymbolLookup.libraryLookup(args[0], arena);
      Random random = new Random(2026);
      for (int t = 0; t < TYPES.length; t++) {
        MethodHandle decode =
            Linker.nativeLinker()
                .downcallHandle(
                    ggml.find("dequantize_row_" + TYPES[t]).orElseThrow(),
                    FunctionDescriptor.ofVoid(
                        ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        for (int b = 0; b < 12; b++) {
          printDecoded(t, block(t, b, random), decode, arena);
        }
        printRms(t, ggml, decode, arena);
      }
    }
  }

  /** All zeros, all ones, then random bits; scales negative and subnormal too, never infinite. */
  private static byte[] block(int t, int b, Random random) {
    byte[] block = new byte[BLOCK_BYTES[t]];
    if (b == 1) {
      java.util.Arrays.fill(block, (byte) 0xFF);
    } else if (b > 1) {
      random.nextBytes(block);
    }
    for (int at : SCALES_AT[t]) {
      short scale =
          b < 2
              ? Float.floatToFloat16(b == 0 ? 1 : -0.37f)
              : b == 2 ? (short) random.nextInt(0x400) : (short) (random.nextInt() & 0xBBFF);
      block[at] = (byte) scale;
      block[at + 1] = (byte) (scale >> 8);
    }
    if (TYPES[t].equals("mxfp4") && b < 6) {
      block[0] = (byte) new int[] {0, 255, 1, 2, 127, 254}[b];
    }
    return block;
  }

  private static void printDecoded(int t, byte[] block, MethodHandle decode, Arena arena)
      throws Throwable {
    int n = BLOCK_ELEMENTS[t];
    MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_BYTE, block);
    MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, n);
    decode.invokeExact(in, out, (long) n);
    var crc = new java.util.zip.CRC32();
    crc.update(out.toArray(ValueLayout.JAVA_BYTE));
    var line = new StringBuilder("decode " + TYPES[t].toUpperCase());
    line.append(' ').append(HexFormat.of().formatHex(block));
    line.append(' ').append(Long.toHexString(crc.getValue()));
    for (int i = 0; i < 8; i++) {
      line.append(' ').append(HexFormat.of().toHexDigits(out.get(ValueLayout.JAVA_INT, 4L * i)));
    }
    System.out.println(line);
  }

  private static void printRms(int t, SymbolLookup ggml, MethodHandle decode, Arena arena)
      throws Throwable {
    int rows = 32;
    int n = rows * 256;
    MethodHandle encode =
        Linker.nativeLinker()
            .downcallHandle(
                ggml.find("quantize_" + TYPES[t]).orElseThrow(),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS));
    float[] x = new float[n];
    Random random = new Random(1);
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
    MemorySegment packed = arena.allocate((long) n / BLOCK_ELEMENTS[t] * BLOCK_BYTES[t]);
    MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, n);
    long written =
        (long) encode.invokeExact(in, packed, (long) rows, 256L, MemorySegment.NULL);
    if (written != packed.byteSize()) {
      throw new IllegalStateException(TYPES[t] + " wrote " + written + " bytes");
    }
    decode.invokeExact(packed, out, (long) n);
    double error = 0;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double e = out.getAtIndex(ValueLayout.JAVA_FLOAT, i) - x[i];
      error += e * e;
      sum += (double) x[i] * x[i];
    }
    System.out.printf("rms %s %.6f%n", TYPES[t].toUpperCase(), Math.sqrt(error / sum));
  }
}
