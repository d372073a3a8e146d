package dev.ridgeline.graph;

/**
 * An activation: a row-major float32 matrix {@code [rows, width]}. The number of rows is known only
 * when a step runs: one for each token of the step, or one for each token whose logits are wanted.
 *
 * @param id index in {@link Graph#values()}
 * @param name for profiles and error messages, such as {@code "blk.3.ffn_gate"}
 * @param width elements of a row
 * @param rows what a row stands for
 */
public record Value(int id, String name, int width, Rows rows) {
  /** What the rows of a value stand for. */
  public enum Rows {
    /** A row for each token of the step. */
    TOKENS,
    /** A row for each token of the step whose logits were asked for. */
    OUTPUTS
  }

  /** Rejects values without elements. */
  public Value {
    if (width <= 0) {
      throw new IllegalArgumentException("value '" + name + "' has width " + width);
    }
  }
}
