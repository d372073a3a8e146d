package dev.ridgeline.testing;

import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/** Numbers that find bugs: inputs and weights of op cases, always the same for the same seed. */
final class OpData {
  private static final long FILE_ALIGNMENT = 32;

  private OpData() {}

  /**
   * An F32 table of {@code rows} inputs. The first ones are what int8 kernels trip over: all 1, all
   * -1, alternating, all 0, one outlier, tiny; the rest are Gaussian.
   */
  static Tensor inputs(String name, int rows, int cols, long seed) {
    Random random = new Random(seed);
    float[] x = new float[rows * cols];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        float gaussian = (float) random.nextGaussian();
        x[r * cols + c] =
            switch (r) {
              case 1 -> 1;
              case 2 -> -1;
              case 3 -> c % 2 == 0 ? 1 : -1;
              case 4 -> 0;
              case 5 -> c == cols / 2 ? 1e4f : gaussian;
              case 6 -> gaussian * 1e-6f;
              default -> gaussian;
            };
      }
    }
    return floats(name, new Shape(cols, rows, 1, 1), x);
  }

  /** An F32 tensor of Gaussians. */
  static Tensor gaussians(String name, int rows, int cols, long seed) {
    Random random = new Random(seed);
    float[] x = new float[rows * cols];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return floats(name, new Shape(cols, rows, 1, 1), x);
  }

  /** An F32 tensor of these numbers. */
  static Tensor floats(String name, Shape shape, float[] x) {
    MemorySegment data = allocate(4L * x.length);
    MemorySegment.copy(x, 0, data, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, x.length);
    return new Tensor(name, DType.F32, shape, data);
  }

  /** Gaussian weights as the format's encoder makes them. */
  static Tensor encoded(String name, DType type, Shape shape, long seed) {
    Random random = new Random(seed);
    int n = Math.toIntExact(shape.elements());
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian() * 0.3f;
    }
    MemorySegment data = allocate(type.bytes(n));
    Quantization.of(type).encode(x, 0, data, 0, n);
    return new Tensor(name, type, shape, data);
  }

  /**
   * Weights at both ends of their integers and in between: rows of blocks whose bits are all 0, all
   * 1, and random, with scales that stay finite. Every bit pattern of the integers occurs.
   */
  static Tensor extremes(String name, DType type, Shape shape, long seed) {
    Random random = new Random(seed);
    int n = Math.toIntExact(shape.elements());
    byte[] bytes = new byte[Math.toIntExact(type.bytes(n))];
    int rowBytes = Math.toIntExact(type.bytes(shape.ne0()));
    for (int row = 0; row * rowBytes < bytes.length; row++) {
      int from = row * rowBytes;
      switch (row % 4) {
        case 0 -> Arrays.fill(bytes, from, from + rowBytes, (byte) 0xFF);
        case 1 -> Arrays.fill(bytes, from, from + rowBytes, (byte) 0);
        default -> {
          byte[] randomBytes = new byte[rowBytes];
          random.nextBytes(randomBytes);
          System.arraycopy(randomBytes, 0, bytes, from, rowBytes);
        }
      }
    }
    MemorySegment data = allocate(bytes.length);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    for (long at = 0; at < bytes.length; at += type.blockBytes()) {
      putScales(type, data, at, random);
    }
    return new Tensor(name, type, shape, data);
  }

  /** Replaces a block's scales, whose random bits could be infinite or absurd. */
  private static void putScales(DType type, MemorySegment data, long at, Random random) {
    switch (type) {
      case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) random.nextGaussian());
      case F16 -> putF16(data, at, random.nextGaussian());
      case BF16 -> data.set(ValueLayout.JAVA_BYTE, at + 1, (byte) (0x3F | random.nextInt(2) << 7));
      case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS -> putF16(data, at, scale(random));
      case Q4_1, Q5_1, Q4_K, Q5_K -> {
        putF16(data, at, Math.abs(scale(random)));
        putF16(data, at + 2, scale(random));
      }
      case Q2_K -> {
        putF16(data, at + 80, scale(random));
        putF16(data, at + 82, scale(random));
      }
      case Q3_K -> putF16(data, at + 108, scale(random));
      case Q6_K -> putF16(data, at + 208, scale(random));
      case MXFP4 -> data.set(ValueLayout.JAVA_BYTE, at, (byte) (118 + random.nextInt(12)));
      case I8, I16, I32, I64, F64 -> throw new IllegalArgumentException(type.toString());
    }
  }

  private static double scale(Random random) {
    return (random.nextBoolean() ? 1 : -1) * (0.005 + 0.02 * random.nextDouble());
  }

  private static void putF16(MemorySegment data, long at, double value) {
    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float) value));
  }

  /**
   * Memory as aligned as a tensor in a file is, and no more; the bytes before and after it are NaNs
   * in every float format, so that whoever reads them computes NaNs.
   */
  private static MemorySegment allocate(long bytes) {
    return Arena.ofAuto()
        .allocate(bytes + 4 * FILE_ALIGNMENT, 2 * FILE_ALIGNMENT)
        .fill((byte) 0xFF)
        .asSlice(FILE_ALIGNMENT, bytes);
  }

  /** Row {@code row} of a tensor as floats. */
  static float[] row(Tensor tensor, long row) {
    int n = Math.toIntExact(tensor.shape().ne0());
    float[] x = new float[n];
    Quantization.of(tensor.type()).decode(tensor.data(), row * tensor.rowBytes(), x, 0, n);
    return x;
  }

  /** One element of an F32 tensor. */
  static float element(Tensor tensor, int row, int col) {
    long index = row * tensor.shape().ne0() + col;
    return tensor.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index);
  }
}
