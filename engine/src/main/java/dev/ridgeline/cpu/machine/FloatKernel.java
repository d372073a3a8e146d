package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Products of F32, F16 or BF16 weights with float32 activations by AVX-512, for any number of
 * tokens, by {@link FloatDot}: what the Vector API does as well, but fetching ahead from memory.
 */
final class FloatKernel implements ProductKernel {
  private static final int ROWS = FloatDot.ROWS;

  /** Columns of a piece: 6 tokens of it take 12 KB of the first-level cache. */
  private static final int COLS = 512;

  /** Rows that go through all tokens together, so that tokens come from the first level. */
  private static final int MANY_ROWS = 64;

  private final DType type;
  private final AtomicReferenceArray<NativeCode> dots =
      new AtomicReferenceArray<>(2 * (FloatDot.MAX_TOKENS + 1));

  FloatKernel(DType type) {
    this.type = type;
  }

  @Override
  public String name() {
    return "avx512 " + type;
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
    return Integer.MAX_VALUE;
  }

  @Override
  public Packing packing() {
    return Packing.NONE;
  }

  @Override
  public int rowUnit() {
    return ROWS;
  }

  @Override
  public long scratchBytes(int cols) {
    return FloatDot.FRAME_BYTES + ROWS * type.bytes(COLS);
  }

  @Override
  public void multiply(ProductCall call) {
    boolean few = call.tokens <= FloatDot.MAX_TOKENS;
    int rows = few ? ROWS : MANY_ROWS;
    for (int row = 0; row < call.rows; row += rows) {
      int end = Math.min(call.rows, row + rows);
      for (int col = 0; col < call.cols; col += COLS) {
        multiply(call, row, end, col, Math.min(COLS, call.cols - col), few);
      }
    }
  }

  private void multiply(ProductCall call, int row, int end, int col, int cols, boolean few) {
    long f = call.scratch;
    Memory.i64(f + FloatDot.X_STRIDE, 4L * call.cols);
    Memory.i64(f + FloatDot.OUT_STRIDE, call.outStride);
    Memory.i64(f + FloatDot.STEPS, cols / FloatDot.STEP);
    Memory.i64(f + FloatDot.TAIL, (1L << cols % FloatDot.STEP) - 1);
    Memory.i64(f + FloatDot.ADD, col);
    int passes = (call.tokens + FloatDot.MAX_TOKENS - 1) / FloatDot.MAX_TOKENS;
    for (int pass = 0; pass < passes; pass++) {
      int token = (int) ((long) call.tokens * pass / passes);
      int tokens = (int) ((long) call.tokens * (pass + 1) / passes) - token;
      NativeCode dot = dot(tokens, few);
      Memory.i64(f + FloatDot.X, call.packed + 4L * ((long) token * call.cols + col));
      for (int r = row; r < end; r += ROWS) {
        weights(call, r, col, cols);
        Memory.i64(f + FloatDot.OUT, call.out + token * call.outStride + 4L * r);
        dot.call(f, 0, 0, 0, 0, 0);
      }
    }
  }

  /** Says where the rows are; less than {@link #ROWS} are copied, so that all can be read. */
  private void weights(ProductCall call, int row, int col, int cols) {
    long f = call.scratch;
    int rows = Math.min(ROWS, call.rows - row);
    long weights = call.weights + row * call.rowBytes + type.bytes(col);
    long stride = call.rowBytes;
    // The same piece of the next rows, in the order of memory.
    Memory.i64(
        f + FloatDot.FETCH, call.weights + (row + ROWS) * call.rowBytes + ROWS * type.bytes(col));
    if (rows < ROWS) {
      long part = f + FloatDot.FRAME_BYTES;
      long bytes = type.bytes(cols);
      for (int r = 0; r < rows; r++) {
        Memory.copy(weights + r * stride, part + r * bytes, bytes);
      }
      weights = part;
      stride = bytes;
    }
    Memory.i64(f + FloatDot.WEIGHTS, weights);
    Memory.i64(f + FloatDot.ROW_BYTES, stride);
    Memory.i64(f + FloatDot.ROW_MASK, (1L << rows) - 1);
  }

  private NativeCode dot(int tokens, boolean fetches) {
    NativeCode code = dots.get(2 * tokens + (fetches ? 1 : 0));
    return code != null ? code : make(tokens, fetches);
  }

  private synchronized NativeCode make(int tokens, boolean fetches) {
    int at = 2 * tokens + (fetches ? 1 : 0);
    NativeCode code = dots.get(at);
    if (code == null) {
      String name = "dot_" + type + "_" + tokens + (fetches ? "_fetch" : "");
      code = NativeCode.install(name, new FloatDot(type, tokens, fetches).emit());
      dots.set(at, code);
    }
    return code;
  }
}
