package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * One op in a small graph with its data: the declaration that drives the parity test of every
 * backend ({@link OpParity}) and the benchmarks of the same case. The list is {@link
 * OpCases#all()}.
 *
 * <p>Everything goes through the public {@code Backend} API. Inputs are {@code Embed}s of F32
 * tables, one an input, all fed by the same token ids: token id r makes every input its row r. The
 * result is the graph's logits.
 */
public final class OpCase {
  private final String name;
  private final Supplier<Setup> setup;

  /** A case whose data is made when it is first asked for. */
  public OpCase(String name, Supplier<Setup> setup) {
    this.name = name;
    this.setup = setup;
  }

  /** Op, types and shape in words, such as {@code "matmul q4_k 31x1792"}; unique in the list. */
  public String name() {
    return name;
  }

  /** Makes graph and data; always the same. */
  public Setup setup() {
    return setup.get();
  }

  @Override
  public String toString() {
    return name;
  }

  /**
   * What to compile and run.
   *
   * @param tensors the weights by name, outside the heap, as unaligned as a file may have them
   * @param passes steps to run one after the other on one executable
   * @param bound largest difference allowed
   */
  public record Setup(
      Graph graph, Map<String, Tensor> tensors, Capacity capacity, List<Pass> passes, Bound bound) {
    /** The tensor named {@code name}, as {@link dev.ridgeline.backend.Weights} has it. */
    public Tensor tensor(String name) {
      Tensor tensor = tensors.get(name);
      if (tensor == null) {
        throw new IllegalArgumentException("no tensor '" + name + "'");
      }
      return tensor;
    }
  }

  /**
   * One step.
   *
   * @param outputEvery 1: all rows are outputs; 3: every third row is
   */
  public record Pass(int outputEvery, List<Run> runs) {}

  /** Tokens {@code firstToken .. firstToken + count} of a sequence, from {@code position} on. */
  public record Run(int sequence, int position, int firstToken, int count) {}

  /** How far a backend may be from the reference; {@link Tolerance} derives them. */
  @FunctionalInterface
  public interface Bound {
    /**
     * The largest difference allowed.
     *
     * @param token id of the token, which is the row of every input
     * @param position of the token
     * @param col element of the row of the result
     * @param expected the reference's result
     */
    double at(int token, int position, int col, double expected);
  }
}
