package dev.ridgeline.cpu.kernel;

/**
 * The arguments of one {@link Packing#pack}: a range of columns of all tokens. Owned by a worker
 * and filled anew for each call.
 */
public final class PackCall {
  /** Address of {@code x[0, 0]}: float32 {@code [tokens, cols]}, 64-byte aligned. */
  public long x;

  /** Rows of x. */
  public int tokens;

  /** Elements of a row. */
  public int cols;

  /** First column to pack. */
  public int fromCol;

  /** The column after the last one to pack. */
  public int toCol;

  /** Address of the packed copy (all tokens, all columns), 64-byte aligned. */
  public long packed;
}
