package dev.ridgeline.cpu.vector;

import dev.ridgeline.backend.Step;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of one {@link AttentionKernel#attend}: neighbouring tokens of one sequence, the
 * query heads of one KV head, and a range of the stored tokens. Owned by a worker and filled anew
 * for each call.
 */
public final class AttentionCall {
  /** The step, for the positions of its rows. */
  public @Nullable Step step;

  /** The sequence's block table. */
  public int[] blocks = {};

  /** First row of the step. */
  public int row;

  /** Rows, at most {@link AttentionKernel#tokensPerCall()}. */
  public int rows;

  /** The KV head. */
  public int head;

  /** First stored position to look at; a multiple of {@link AttentionKernel#splitUnit}. */
  public int from;

  /** End of the stored positions to look at; a multiple of the same. */
  public int to;

  /** Address of q of row 0 of the step. */
  public long q;

  /** Address of out of row 0 of the step. */
  public long out;

  /** Where to leave a partial result to merge, or 0 to write {@code out}. */
  public long partial;

  /** Address of the thread's scratch. */
  public long scratch;
}
