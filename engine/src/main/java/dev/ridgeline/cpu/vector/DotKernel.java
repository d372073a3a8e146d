package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.load;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products of few tokens: each row is decoded once, in pieces that stay in the first-level cache,
 * and multiplied with every token's activations as they are, in float32.
 */
@SuppressWarnings("NarrowCalculation") // offsets within a row of weights: far below 2^31
final class DotKernel implements ProductKernel {
  /** Columns decoded at a time; whole blocks of every format. */
  private static final int PIECE = 2048;

  private final DType type;
  private final RowDecoder decoder;
  private final int maxTokens;

  DotKernel(DType type, int maxTokens) {
    this.type = type;
    this.decoder = RowDecoder.of(type);
    this.maxTokens = maxTokens;
  }

  @Override
  public String name() {
    return "vector" + Lanes.BITS + " dot " + type;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public int minTokens() {
    return 1;
  }

  @Override
  public int maxTokens() {
    return maxTokens;
  }

  @Override
  public Packing packing() {
    return Packing.NONE;
  }

  @Override
  public int rowUnit() {
    return 1;
  }

  @Override
  public long scratchBytes(int cols) {
    return 4L * PIECE;
  }

  @Override
  public void multiply(ProductCall call) {
    long pieceBytes = type.bytes(PIECE);
    for (int row = 0; row < call.rows; row++) {
      long weights = call.weights + row * call.rowBytes;
      for (int col = 0; col < call.cols; col += PIECE) {
        int count = Math.min(PIECE, call.cols - col);
        decoder.decode(weights, call.scratch, count);
        addPiece(call, row, col, count);
        weights += pieceBytes;
      }
    }
  }

  /** Adds the product of the decoded piece with each token to that token's output. */
  private static void addPiece(ProductCall call, int row, int col, int count) {
    long stride = 4L * call.cols;
    long x = call.packed + 4L * col;
    long out = call.out + 4L * row;
    int t = 0;
    for (; t + 4 <= call.tokens; t += 4) {
      dot4(call.scratch, x, stride, count, out, call.outStride, col > 0);
      x += 4 * stride;
      out += 4 * call.outStride;
    }
    for (; t < call.tokens; t++) {
      add(out, dot1(call.scratch, x, count), col > 0);
      x += stride;
      out += call.outStride;
    }
  }

  private static void add(long out, float sum, boolean accumulate) {
    Memory.f32(out, accumulate ? Memory.f32(out) + sum : sum);
  }

  /** {@code sum_i a[i] b[i]}; four sums hide the latency of an FMA. */
  static float dot1(long a, long b, int count) {
    FloatVector s0 = FloatVector.zero(Lanes.F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int four = count & -(4 * N);
    int i = 0;
    for (; i < four; i += 4 * N) {
      long p = a + 4L * i & Memory.MASK;
      long q = b + 4L * i & Memory.MASK;
      s0 = load(p).fma(load(q), s0);
      s1 = load(p + BYTES).fma(load(q + BYTES), s1);
      s2 = load(p + 2 * BYTES).fma(load(q + 2 * BYTES), s2);
      s3 = load(p + 3 * BYTES).fma(load(q + 3 * BYTES), s3);
    }
    for (; i + N <= count; i += N) {
      s0 = load(a + 4L * i).fma(load(b + 4L * i), s0);
    }
    float sum = s0.add(s1).add(s2.add(s3)).reduceLanes(VectorOperators.ADD);
    for (; i < count; i++) {
      sum += Memory.f32(a + 4L * i) * Memory.f32(b + 4L * i);
    }
    return sum;
  }

  private static void dot4(
      long a, long b, long stride, int count, long out, long outStride, boolean accumulate) {
    FloatVector s0 = FloatVector.zero(Lanes.F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + N <= count; i += N) {
      FloatVector w = load(a + 4L * i);
      long q = b + 4L * i;
      s0 = w.fma(load(q), s0);
      s1 = w.fma(load(q + stride), s1);
      s2 = w.fma(load(q + 2 * stride), s2);
      s3 = w.fma(load(q + 3 * stride), s3);
    }
    float r0 = s0.reduceLanes(VectorOperators.ADD);
    float r1 = s1.reduceLanes(VectorOperators.ADD);
    float r2 = s2.reduceLanes(VectorOperators.ADD);
    float r3 = s3.reduceLanes(VectorOperators.ADD);
    for (; i < count; i++) {
      float w = Memory.f32(a + 4L * i);
      long q = b + 4L * i;
      r0 += w * Memory.f32(q);
      r1 += w * Memory.f32(q + stride);
      r2 += w * Memory.f32(q + 2 * stride);
      r3 += w * Memory.f32(q + 3 * stride);
    }
    add(out, r0, accumulate);
    add(out + outStride, r1, accumulate);
    add(out + 2 * outStride, r2, accumulate);
    add(out + 3 * outStride, r3, accumulate);
  }
}
