package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;

import dev.ridgeline.cpu.kernel.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this JVM. The species are constants of the class, because C2 only keeps
 * vectors in registers when it knows their shape; tests load the package once for each width.
 *
 * <p>Beside the two loads here, whose form depends on the width, no method of this package takes or
 * returns a vector: in a large model C2 stops inlining such helpers, and every vector that passes
 * between methods is then an object on the heap.
 */
public final class Lanes {
  /** System property that forces a width: 128, 256 or 512, and with it the Vector API's kernels. */
  public static final String BITS_PROPERTY = "ridgeline.vector.bits";

  /** Whether {@link #BITS_PROPERTY} is set. */
  public static final boolean FORCED = Integer.getInteger(BITS_PROPERTY) != null;

  /** Bits of a vector. */
  public static final int BITS =
      Integer.getInteger(
          BITS_PROPERTY, Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512));

  static final VectorSpecies<Float> F =
      species(FloatVector.SPECIES_128, FloatVector.SPECIES_256, FloatVector.SPECIES_512);
  static final VectorSpecies<Integer> I =
      species(IntVector.SPECIES_128, IntVector.SPECIES_256, IntVector.SPECIES_512);

  /** As many 16-bit lanes as a vector has floats. */
  static final VectorSpecies<Short> S =
      species(ShortVector.SPECIES_64, ShortVector.SPECIES_128, ShortVector.SPECIES_256);

  /** As many bytes as a vector has floats; at 128 bits, where there is no such shape, unused. */
  static final VectorSpecies<Byte> B =
      species(ByteVector.SPECIES_64, ByteVector.SPECIES_64, ByteVector.SPECIES_128);

  /** Floats in a vector. */
  public static final int N = F.length();

  /** Bytes of a vector of floats. */
  static final int BYTES = 4 * N;

  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  /** 0, 1, 2, ... */
  static final IntVector IOTA = IntVector.zero(I).addIndex(1);

  private static final IntVector BYTE_SHIFTS = IOTA.lanewise(VectorOperators.LSHL, 3);

  private Lanes() {}

  private static <T> T species(T bits128, T bits256, T bits512) {
    return switch (BITS) {
      case 128 -> bits128;
      case 256 -> bits256;
      case 512 -> bits512;
      default ->
          throw new IllegalArgumentException(
              BITS_PROPERTY + ": expected 128, 256 or 512, found " + BITS);
    };
  }

  /** N unsigned bytes as integers. */
  static IntVector u8(long address) {
    if (N == 4) {
      return IntVector.broadcast(I, Memory.i32(address))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .and(255);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, ALL, address & MASK, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /** N signed bytes as integers. */
  static IntVector i8(long address) {
    if (N == 4) {
      return u8(address).lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, ALL, address & MASK, LE)
            .convertShape(VectorOperators.B2I, I, 0);
  }

  /**
   * Whether multiplying a subnormal takes no longer than multiplying other numbers. On Intel's
   * processors it can take 150 cycles; AMD's and Arm's do not mind. It only decides between two
   * ways to the same result.
   */
  static final boolean SUBNORMALS_ARE_FAST = subnormalNanos() < 2 * normalNanos();

  private static long subnormalNanos() {
    return nanosToMultiply(0x1p-130f);
  }

  private static long normalNanos() {
    return nanosToMultiply(0x1p-100f);
  }

  /** The least of a few runs of multiplications by a power of two. */
  private static long nanosToMultiply(float x) {
    float[] products = new float[512];
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 8; run++) {
      long start = System.nanoTime();
      for (int i = 0; i < products.length; i++) {
        products[i] = x * 0x1p112f;
      }
      least = Math.min(least, System.nanoTime() - start);
    }
    return least;
  }
}
