package dev.ridgeline.cpu;

import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import java.util.LinkedHashMap;

/**
 * Products that share their input: each input row is packed once for all products whose kernels
 * want it the same way, one packed copy after the other.
 */
final class Products {
  /**
   * One matrix.
   *
   * @param weights address of row 0
   * @param rowBytes bytes of a row
   * @param rows rows
   * @param bias address of float32 {@code [rows]}, or 0
   * @param out address of float32 {@code [tokens, rows]}
   * @param kernels of the weights' format
   */
  record Matrix(
      long weights, long rowBytes, int rows, long bias, long out, ProductKernel[] kernels) {}

  private final long x;
  private final int cols;
  private final long packed;
  private final Matrix[] matrices;
  private final long totalBytes;

  /**
   * @param x address of float32 {@code [tokens, cols]}
   * @param packed address of {@link #packedBytes} bytes
   */
  Products(long x, int cols, long packed, Matrix... matrices) {
    this.x = x;
    this.cols = cols;
    this.packed = packed;
    this.matrices = matrices;
    long bytes = 0;
    for (Matrix m : matrices) {
      bytes += m.rowBytes * m.rows;
    }
    totalBytes = bytes;
  }

  /** Room for every packing that {@code kernels} of up to {@code tokens} tokens may ask for. */
  static long packedBytes(int tokens, int cols, ProductKernel[]... kernels) {
    var seen = new LinkedHashMap<Packing, Long>();
    for (ProductKernel[] ofMatrix : kernels) {
      for (ProductKernel kernel : ofMatrix) {
        if (kernel.minTokens() <= tokens) {
          int most = Math.min(tokens, kernel.maxTokens());
          seen.merge(kernel.packing(), aligned(kernel.packing().bytes(most, cols)), Math::max);
        }
      }
    }
    return seen.values().stream().mapToLong(Long::longValue).sum();
  }

  static long aligned(long bytes) {
    return (bytes + 63) & -64;
  }

  boolean needsPacking(int tokens) {
    for (Matrix m : matrices) {
      if (!KernelTable.pick(m.kernels, tokens).packing().equals(Packing.NONE)) {
        return true;
      }
    }
    return false;
  }

  /** Packs the worker's share of the columns, in every way that is wanted. */
  void pack(Worker worker, int tokens) {
    for (int i = 0; i < matrices.length; i++) {
      Packing packing = packing(i, tokens);
      if (!packing.equals(Packing.NONE) && first(packing, tokens) == i) {
        worker.pack.x = x;
        worker.pack.tokens = tokens;
        worker.pack.cols = cols;
        worker.pack.fromCol = worker.from(cols, packing.unitCols());
        worker.pack.toCol = worker.to(cols, packing.unitCols());
        worker.pack.packed = packed(i, tokens);
        if (worker.pack.fromCol < worker.pack.toCol) {
          packing.pack(worker.pack);
        }
      }
    }
  }

  private Packing packing(int i, int tokens) {
    return KernelTable.pick(matrices[i].kernels, tokens).packing();
  }

  /** The first matrix that wants {@code packing}. */
  private int first(Packing packing, int tokens) {
    int i = 0;
    while (!packing(i, tokens).equals(packing)) {
      i++;
    }
    return i;
  }

  /** Address of the activations for matrix i. */
  private long packed(int i, int tokens) {
    Packing wanted = packing(i, tokens);
    if (wanted.equals(Packing.NONE)) {
      return x;
    }
    long at = packed;
    for (int j = 0; j < i && !packing(j, tokens).equals(wanted); j++) {
      Packing earlier = packing(j, tokens);
      if (!earlier.equals(Packing.NONE) && first(earlier, tokens) == j) {
        at += aligned(earlier.bytes(tokens, cols));
      }
    }
    return at;
  }

  /**
   * Multiplies the worker's share of all rows of all matrices: reading their bytes takes the time.
   */
  void multiply(Worker worker, int tokens) {
    for (int p = worker.firstPiece(); p < worker.pieces(); p = worker.nextPiece()) {
      multiply(worker, tokens, worker.pieceAt(totalBytes, p), worker.pieceAt(totalBytes, p + 1));
    }
  }

  /** Multiplies the rows that begin within some bytes of all the matrices'. */
  private void multiply(Worker worker, int tokens, long fromByte, long toByte) {
    long before = 0;
    for (int i = 0; i < matrices.length; i++) {
      Matrix m = matrices[i];
      int unit = KernelTable.pick(m.kernels, tokens).rowUnit();
      int from = rowAt(m, unit, fromByte - before);
      int to = rowAt(m, unit, toByte - before);
      if (from < to) {
        multiply(worker, i, tokens, from, to, m.out, 4L * m.rows);
        addBias(worker, m, tokens, from, to);
      }
      before += m.rowBytes * m.rows;
    }
  }

  private static int rowAt(Matrix m, int unit, long bytes) {
    long row = Math.clamp(bytes / m.rowBytes, 0, m.rows);
    return row == m.rows ? m.rows : (int) (row / unit * unit);
  }

  /** Rows {@code from .. to} of matrix i; {@code out} is where row 0 of token 0 goes. */
  void multiply(Worker worker, int i, int tokens, int from, int to, long out, long outStride) {
    Matrix m = matrices[i];
    ProductCall call = worker.product;
    call.weights = m.weights + from * m.rowBytes;
    call.rowBytes = m.rowBytes;
    call.rows = to - from;
    call.cols = cols;
    call.packed = packed(i, tokens);
    call.tokens = tokens;
    call.out = out + 4L * from;
    call.outStride = outStride;
    call.scratch = worker.scratch;
    KernelTable.pick(m.kernels, tokens).multiply(call);
  }

  private static void addBias(Worker worker, Matrix m, int tokens, int from, int to) {
    if (m.bias != 0) {
      for (int t = 0; t < tokens; t++) {
        long out = m.out + 4L * ((long) t * m.rows + from);
        worker.rows.add(out, m.bias + 4L * from, 1, out, to - from);
      }
    }
  }

  /** The number of rows at whose multiples bands of all matrices may begin. */
  int rowUnit(int tokens) {
    int unit = 1;
    for (Matrix m : matrices) {
      unit = Math.max(unit, KernelTable.pick(m.kernels, tokens).rowUnit());
    }
    return unit;
  }
}
