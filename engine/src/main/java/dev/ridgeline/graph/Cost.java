package dev.ridgeline.graph;

import dev.ridgeline.tensor.DType;

/**
 * What an op, or a whole graph, must at least move and compute: the numerators of every "share of
 * the limit" that Ridgeline prints. Lower bounds of a perfect implementation: each weight, and each
 * K and V in view, is read once a step, however many tokens use it.
 *
 * @param flops multiplications and additions of the products and of attention, and a fixed small
 *     count per element of everything else
 * @param quantizedFlops those of them that are products with quantized weights
 * @param weightBytes weights read, in their file's format
 * @param kvReadBytes K and V read
 * @param kvWrittenBytes K and V written
 * @param activationBytes float32 values read and written between ops; these mostly stay in caches
 */
public record Cost(
    long flops,
    long quantizedFlops,
    long weightBytes,
    long kvReadBytes,
    long kvWrittenBytes,
    long activationBytes) {
  /** No cost. */
  public static final Cost ZERO = new Cost(0, 0, 0, 0, 0, 0);

  /**
   * One step: {@code sequences} sequences at the same depth, each with {@code tokens} new tokens.
   *
   * @param sequences sequences in the batch
   * @param tokens new tokens of each
   * @param outputs rows of logits in all
   * @param depth tokens of each sequence already in the KV cache
   * @param kvType element type of the KV cache
   */
  public record Workload(int sequences, int tokens, int outputs, int depth, DType kvType) {
    /** Rejects steps that do nothing. */
    public Workload {
      if (sequences <= 0 || tokens <= 0 || outputs < 0 || depth < 0) {
        throw new IllegalArgumentException(
            "step of %d sequences with %d tokens, %d outputs, at depth %d"
                .formatted(sequences, tokens, outputs, depth));
      }
    }

    /** A step of one sequence whose last token's logits are wanted. */
    public static Workload of(int tokens, int depth, DType kvType) {
      return new Workload(1, tokens, 1, depth, kvType);
    }

    private long rows(Value value) {
      return value.rows() == Value.Rows.TOKENS ? allTokens() : outputs;
    }

    private long allTokens() {
      return (long) sequences * tokens;
    }

    /** Pairs of a query and a position it sees, over all tokens of all sequences. */
    private long pairs(int window) {
      long pairs = 0;
      for (int t = 1; t <= tokens; t++) {
        pairs += window == 0 ? depth + t : Math.min(window, depth + t);
      }
      return pairs * sequences;
    }

    /** Positions that at least one query sees, over all sequences. */
    private long positions(int window) {
      long all = (long) depth + tokens;
      return sequences * (window == 0 ? all : Math.min(all, (long) window + tokens - 1));
    }
  }

  /** Bytes that come from or go to memory: weights and KV, without the activations. */
  public long memoryBytes() {
    return weightBytes + kvReadBytes + kvWrittenBytes;
  }

  /** Both. */
  public Cost plus(Cost o) {
    return new Cost(
        flops + o.flops,
        quantizedFlops + o.quantizedFlops,
        weightBytes + o.weightBytes,
        kvReadBytes + o.kvReadBytes,
        kvWrittenBytes + o.kvWrittenBytes,
        activationBytes + o.activationBytes);
  }

  /** The cost of one step of {@code graph}. */
  public static Cost of(Graph graph, Workload step) {
    return graph.ops().stream().map(op -> of(op, step)).reduce(ZERO, Cost::plus);
  }

  /** The cost of one op of a step. */
  public static Cost of(Op op, Workload step) {
    long activations = 0;
    for (Value in : op.inputs()) {
      activations += step.rows(in) * in.width() * Float.BYTES;
    }
    for (Value out : op.outputs()) {
      activations += step.rows(out) * out.width() * Float.BYTES;
    }
    return new Cost(
        flops(op, step),
        quantizedFlops(op, step),
        weightBytes(op, step),
        kvRead(op, step),
        kvWritten(op, step),
        activations);
  }

  /** Elementwise ops: additions, multiplications, and each exp, tanh or division as one. */
  private static long flops(Op op, Workload step) {
    return switch (op) {
      case Op.Input _ -> 0;
      case Op.Embed e -> elements(e.out(), step);
      case Op.RmsNorm r -> 4 * elements(r.out(), step);
      case Op.AddRmsNorm r -> 6 * elements(r.out(), step);
      case Op.MatMul m ->
          m.products().stream()
              .mapToLong(p -> step.rows(m.x()) * productFlops(p.weight(), p.bias() != null))
              .sum();
      case Op.GatedMatMul g ->
          step.rows(g.x()) * (productFlops(g.gate(), false) + productFlops(g.up(), false))
              + 4 * elements(g.out(), step);
      case Op.Gate g -> 4 * elements(g.out(), step);
      case Op.Rope r -> 3 * elements(r.out(), step);
      case Op.StoreKv _ -> 0;
      case Op.Attention a ->
          step.pairs(a.layer().window())
              * a.headCount()
              * (2L * a.layer().keyDim() + 2L * a.layer().valueDim() + 3);
      case Op.Add a -> 2 * elements(a.out(), step);
      case Op.Scale s -> elements(s.out(), step);
      case Op.SoftCap s -> 3 * elements(s.out(), step);
      case Op.SelectOutputs _ -> 0;
      case Op.Route r -> 3 * elements(r.logits(), step);
      case Op.ExpertMatMul m ->
          step.rows(m.x()) * used(m.route()) * productFlops(m.weight(), m.bias() != null);
      case Op.ExpertSum s -> 2 * elements(s.x(), step);
    };
  }

  private static long quantizedFlops(Op op, Workload step) {
    return switch (op) {
      case Op.MatMul m ->
          m.products().stream().mapToLong(p -> step.rows(m.x()) * quantizedFlops(p.weight())).sum();
      case Op.GatedMatMul g ->
          step.rows(g.x()) * (quantizedFlops(g.gate()) + quantizedFlops(g.up()));
      case Op.ExpertMatMul m -> step.rows(m.x()) * used(m.route()) * quantizedFlops(m.weight());
      case Op.Input _, Op.Embed _, Op.RmsNorm _, Op.AddRmsNorm _, Op.Gate _, Op.Rope _ -> 0;
      case Op.StoreKv _, Op.Attention _, Op.Add _, Op.Scale _, Op.SoftCap _, Op.SelectOutputs _ ->
          0;
      case Op.Route _, Op.ExpertSum _ -> 0;
    };
  }

  private static long quantizedFlops(Weight weight) {
    return weight.type().isQuantized() ? productFlops(weight, false) : 0;
  }

  private static long productFlops(Weight weight, boolean bias) {
    return 2L * weight.cols() * weight.rows() + (bias ? weight.rows() : 0);
  }

  private static long elements(Value value, Workload step) {
    return step.rows(value) * value.width();
  }

  private static int used(Value route) {
    return route.width() / 2;
  }

  private static long weightBytes(Op op, Workload step) {
    return switch (op) {
      case Op.Embed e -> step.allTokens() * e.table().type().bytes(e.table().cols());
      case Op.ExpertMatMul m -> {
        long expert = m.weight().bytesPerExpert();
        long bias = m.bias() == null ? 0 : m.bias().type().bytes(m.bias().cols());
        double touched = touchedExperts(m.weight().experts(), used(m.route()), step.rows(m.x()));
        yield Math.round(touched * (expert + bias));
      }
      default -> op.weights().stream().mapToLong(Weight::bytes).sum();
    };
  }

  /** Expected number of distinct experts when each of n rows chooses k of all at random. */
  private static double touchedExperts(int experts, int k, long rows) {
    return experts * (1 - Math.pow(1 - (double) k / experts, (double) rows));
  }

  private static long kvRead(Op op, Workload step) {
    return op instanceof Op.Attention a
        ? step.positions(a.layer().window()) * positionBytes(a.layer(), step)
        : 0;
  }

  private static long kvWritten(Op op, Workload step) {
    return op instanceof Op.StoreKv s ? step.allTokens() * positionBytes(s.layer(), step) : 0;
  }

  private static long positionBytes(KvLayer layer, Workload step) {
    return layer.headCountKv()
        * (step.kvType().bytes(layer.keyDim()) + step.kvType().bytes(layer.valueDim()));
  }
}
