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

  private static final int COLS = FloatDot.COLS;

  /**
   * How far ahead of itself the walk of single rows fetches. Machine: Zen 5, two threads; 1 and 2
   * KB are 10 and 5 % slower, 4 to 16 KB are equal.
   */
  private static final int AHEAD_BYTES = 8 << 10;

  /** Bytes of weights of a call: some tens of microseconds. */
  private static final long CALL_BYTES = 256 << 10;

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
    return FloatDot.FRAME_BYTES + ROWS * type.bytes(cols);
  }

  @Override
  public void multiply(ProductCall call) {
    if (call.tokens <= FloatDot.MAX_TOKENS) {
      int rows = (int) Math.max(ROWS, CALL_BYTES / call.rowBytes / ROWS * ROWS);
      for (int row = 0; row < call.rows; row += rows) {
        multiply(call, row, Math.min(call.rows, row + rows), 0, call.cols, true);
      }
      return;
    }
    for (int row = 0; row < call.rows; row += MANY_ROWS) {
      int end = Math.min(call.rows, row + MANY_ROWS);
      for (int col = 0; col < call.cols; col += COLS) {
        multiply(call, row, end, col, Math.min(COLS, call.cols - col), false);
      }
    }
  }

  private void multiply(ProductCall call, int row, int end, int col, int cols, boolean few) {
    long f = call.scratch;
    Memory.i64(f + FloatDot.X_STRIDE, 4L * call.cols);
    Memory.i64(f + FloatDot.OUT_STRIDE, call.outStride);
    Memory.i64(f + FloatDot.PIECES, cols / COLS);
    Memory.i64(f + FloatDot.STEPS, cols % COLS / FloatDot.STEP);
    Memory.i64(f + FloatDot.TAIL, (1L << cols % FloatDot.STEP) - 1);
    Memory.i64(f + FloatDot.ADD, col);
    int tile = tileRows(call.tokens, few);
    int whole = row + (end - row) / tile * tile;
    int passes = (call.tokens + FloatDot.MAX_TOKENS - 1) / FloatDot.MAX_TOKENS;
    for (int pass = 0; pass < passes; pass++) {
      int token = (int) ((long) call.tokens * pass / passes);
      int tokens = (int) ((long) call.tokens * (pass + 1) / passes) - token;
      NativeCode dot = dot(tokens, few);
      Memory.i64(f + FloatDot.X, call.packed + 4L * ((long) token * call.cols + col));
      long out = call.out + token * call.outStride;
      if (row < whole) {
        Memory.i64(f + FloatDot.TILES, (whole - row) / tile);
        Memory.i64(f + FloatDot.ROW_MASK, (1L << tile) - 1);
        long weights = call.weights + row * call.rowBytes + type.bytes(col);
        Memory.i64(f + FloatDot.WEIGHTS, weights);
        Memory.i64(f + FloatDot.ROW_BYTES, call.rowBytes);
        // In the order of memory: what is soon read, or the next tile.
        Memory.i64(f + FloatDot.FETCH, weights + (tile == 1 ? AHEAD_BYTES : tile * call.rowBytes));
        Memory.i64(f + FloatDot.OUT, out + 4L * row);
        dot.call(f, 0, 0, 0, 0, 0);
      }
      if (whole < end) {
        part(call, whole, end - whole, col, cols);
        Memory.i64(f + FloatDot.OUT, out + 4L * whole);
        dot.call(f, 0, 0, 0, 0, 0);
      }
    }
  }

  /** A tile of less than {@link #ROWS} rows: copies them, so that all can be read. */
  private void part(ProductCall call, int row, int rows, int col, int cols) {
    long f = call.scratch;
    long part = f + FloatDot.FRAME_BYTES;
    long bytes = type.bytes(cols);
    for (int r = 0; r < rows; r++) {
      Memory.copy(
          call.weights + (row + r) * call.rowBytes + type.bytes(col), part + r * bytes, bytes);
    }
    Memory.i64(f + FloatDot.TILES, 1);
    Memory.i64(f + FloatDot.ROW_MASK, (1L << rows) - 1);
    Memory.i64(f + FloatDot.WEIGHTS, part);
    Memory.i64(f + FloatDot.ROW_BYTES, bytes);
    Memory.i64(f + FloatDot.FETCH, part);
  }

  /**
   * One token reads row after row, which memory serves as fast as plain reading; several share the
   * loads of x among 4 rows.
   */
  private static int tileRows(int tokens, boolean few) {
    return few && tokens == 1 ? 1 : ROWS;
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
      code =
          NativeCode.install(
              name, new FloatDot(type, tileRows(tokens, fetches), tokens, fetches).emit());
      dots.set(at, code);
    }
    return code;
  }
}
