package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.tensor.DType;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Products of int8 activations by AVX-512 VNNI, for any number of tokens: {@link TilePacker} takes
 * 16 rows apart, a piece at a time that stays in the cache, and {@link TileDot} multiplies it with
 * up to 12 tokens at a time. The same arithmetic in the same order however many tokens there are.
 */
final class VnniKernel implements ProductKernel {
  private static final int ROWS = TilePacker.ROWS;

  /** Columns unpacked at a time for few tokens: 16 rows of them take about 10 KB. */
  private static final int FEW_COLS = 512;

  /** Columns and tiles at a time for many tokens: 150 KB, so that each load of x serves 4 tiles. */
  private static final int MANY_COLS = 2048;

  private static final int MANY_TILES = 4;

  private final BlockLayout layout;
  private final Int8Packing packing;
  private final NativeCode pack;
  private final AtomicReferenceArray<NativeCode> dots =
      new AtomicReferenceArray<>(TileDot.MAX_TOKENS + 1);

  VnniKernel(DType type, Int8Packing packing) {
    layout = new BlockLayout(type);
    this.packing = packing;
    pack = NativeCode.install("pack_" + type, new TilePacker(layout).emit());
  }

  @Override
  public String name() {
    return "vnni " + layout.type();
  }

  @Override
  public DType type() {
    return layout.type();
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
  public Int8Packing packing() {
    return packing;
  }

  @Override
  public int rowUnit() {
    return ROWS;
  }

  @Override
  public long scratchBytes(int cols) {
    return partAt(MANY_TILES) + ROWS * layout.type().bytes(MANY_COLS);
  }

  /** Bytes of a packed tile of so many columns. */
  private long tileBytes(int cols) {
    return BlockLayout.HEADER_BYTES + (long) cols / BlockLayout.GROUP * layout.packedBytes();
  }

  /** Where, in the scratch, rows lie that do not make up a tile. */
  private long partAt(int tiles) {
    return tiles * tileBytes(MANY_COLS);
  }

  @Override
  public void multiply(ProductCall call) {
    boolean few = call.tokens <= TileDot.MAX_TOKENS;
    int cols = few ? FEW_COLS : MANY_COLS;
    int rows = few ? ROWS : MANY_TILES * ROWS;
    for (int row = 0; row < call.rows; row += rows) {
      for (int col = 0; col < call.cols; col += cols) {
        multiply(call, row, Math.min(rows, call.rows - row), col, Math.min(cols, call.cols - col));
      }
    }
  }

  private void multiply(ProductCall call, int row, int rows, int col, int cols) {
    long tileBytes = tileBytes(cols);
    for (int r = 0; r < rows; r += ROWS) {
      long tile = call.scratch + r / ROWS * tileBytes;
      long groups = tile + BlockLayout.HEADER_BYTES;
      // The same piece of the next tiles, in the order of memory.
      long fetch =
          call.weights + (row + r + rows) * call.rowBytes + ROWS * layout.type().bytes(col);
      long byDot = cols / BlockLayout.GROUP * 64L * layout.linesFetchedByDot();
      Memory.i64(groups - 8, fetch + ROWS * layout.type().bytes(cols) - byDot);
      pack(call, row + r, Math.min(ROWS, rows - r), col, cols, groups, fetch);
    }
    int passes = (call.tokens + TileDot.MAX_TOKENS - 1) / TileDot.MAX_TOKENS;
    long control = (long) (cols / BlockLayout.GROUP) << 32 | (col == 0 ? 0 : 1);
    for (int pass = 0; pass < passes; pass++) {
      int token = (int) ((long) call.tokens * pass / passes);
      int tokens = (int) ((long) call.tokens * (pass + 1) / passes) - token;
      long x =
          call.packed
              + token * Int8Packing.tokenBytes(call.cols)
              + (long) col / BlockLayout.GROUP * Int8Packing.GROUP_BYTES;
      for (int r = 0; r < rows; r += ROWS) {
        dot(tokens)
            .call(
                call.scratch + r / ROWS * tileBytes + BlockLayout.HEADER_BYTES,
                x,
                Int8Packing.tokenBytes(call.cols),
                call.out + token * call.outStride + 4L * (row + r),
                call.outStride,
                control | ((1L << Math.min(ROWS, rows - r)) - 1) << 1);
      }
    }
  }

  private void pack(ProductCall call, int row, int rows, int col, int cols, long to, long fetch) {
    DType type = layout.type();
    long from = call.weights + row * call.rowBytes + type.bytes(col);
    long stride = call.rowBytes;
    if (rows < ROWS) {
      long part = call.scratch + partAt(MANY_TILES);
      long bytes = type.bytes(cols);
      for (int r = 0; r < rows; r++) {
        Memory.copy(from + r * stride, part + r * bytes, bytes);
      }
      from = part;
      stride = bytes;
    }
    pack.call(from, stride, to, cols / type.blockElements(), fetch, 0);
  }

  RowDecoder decoder() {
    return new MachineDecoder(layout, pack);
  }

  private NativeCode dot(int tokens) {
    NativeCode code = dots.get(tokens);
    return code != null ? code : make(tokens);
  }

  private synchronized NativeCode make(int tokens) {
    NativeCode code = dots.get(tokens);
    if (code == null) {
      String name = "dot_" + layout.type() + "_" + tokens;
      code = NativeCode.install(name, new TileDot(layout, tokens).emit());
      dots.set(tokens, code);
    }
    return code;
  }
}
