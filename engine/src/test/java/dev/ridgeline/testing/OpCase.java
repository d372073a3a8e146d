package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
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

    /**
     * Puts pass {@code pass} into {@code step}. Blocks of a sequence are scattered over the pool;
     * those wholly before the window are {@link Step#FREED}.
     */
    public void fill(Step step, int pass) {
      Pass p = passes.get(pass);
      step.clear();
      int row = 0;
      for (Run run : p.runs()) {
        step.beginSequence(blockTables(run));
        for (int i = 0; i < run.count(); i++) {
          step.addToken(run.firstToken() + i, run.position() + i, row++ % p.outputEvery() == 0);
        }
      }
    }

    private int[][] blockTables(Run run) {
      int[][] tables = new int[capacity.kvBlocks().size()][];
      for (int group = 0; group < tables.length; group++) {
        int window = graph.kvGroups().get(group);
        int freed = StepCheck.firstVisible(run.position(), window) / capacity.blockTokens();
        int pool = capacity.kvBlocks().get(group);
        tables[group] = new int[capacity.blocksPerSequence()];
        for (int i = 0; i < tables[group].length; i++) {
          int order = i * capacity.maxSequences() + run.sequence();
          tables[group][i] = i < freed ? Step.FREED : scattered(order, pool);
        }
      }
      return tables;
    }

    /**
     * A permutation of {@code 0..pool - 1}: a multiple of an odd step, made coprime with the pool.
     */
    private static int scattered(int order, int pool) {
      int stride = 7;
      while (gcd(stride, pool) != 1) {
        stride++;
      }
      return (int) ((long) order * stride % pool);
    }

    private static int gcd(int a, int b) {
      return b == 0 ? a : gcd(b, a % b);
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
