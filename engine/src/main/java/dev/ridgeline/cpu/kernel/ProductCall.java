package dev.ridgeline.cpu.kernel;

/**
 * The arguments of one {@link ProductKernel#multiply}: a band of rows against all tokens. A worker
 * owns one and fills it anew for each call, so that nothing is allocated while a step runs.
 * Addresses are absolute; weights have the alignment of the file (any), the others 64 bytes.
 */
public final class ProductCall {
  /** Address of the band's first row. */
  public long weights;

  /** Bytes from one row to the next. */
  public long rowBytes;

  /** Rows of the band. */
  public int rows;

  /** Elements of a row; whole blocks of the format. */
  public int cols;

  /** Address of all tokens' activations as the kernel's {@link Packing} left them. */
  public long packed;

  /** Rows of activations. */
  public int tokens;

  /** Address of {@code out[0, first row of the band]}, float32, 4-byte aligned. */
  public long out;

  /** Bytes from one token's output to the next. */
  public long outStride;

  /** Address of the thread's scratch. */
  public long scratch;
}
