package dev.ridgeline.testing;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts the graph of an {@link OpCase} together: inputs, weights, the op, the result. */
final class OpGraph {
  /** Token counts of the steps of a case without positions. */
  static final List<Integer> BATCHES = List.of(1, 2, 7, 33, 64, 70);

  /** Rows of every input of such a case. */
  static final int ROWS = 70;

  final GraphBuilder builder = new GraphBuilder();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** An input: token r makes it row r of {@code table}. */
  Value input(Tensor table) {
    return builder.embed("embedded " + table.name(), weight(table), 1);
  }

  /** A weight that is all of {@code tensor}. */
  Weight weight(Tensor tensor) {
    tensors.put(tensor.name(), tensor);
    return new Weight(
        tensor.name(),
        tensor.type(),
        Math.toIntExact(tensor.shape().ne0()),
        Math.toIntExact(tensor.shape().ne1()),
        0,
        Math.toIntExact(tensor.shape().ne2()));
  }

  /** A case without KV: one step for each of {@link #BATCHES}, all rows outputs. */
  OpCase.Setup batches(Value result, OpCase.Bound bound) {
    Value out =
        result.rows() == Value.Rows.OUTPUTS ? result : builder.selectOutputs("result", result);
    int every = result.rows() == Value.Rows.OUTPUTS ? 3 : 1;
    var capacity = new Capacity(ROWS, ROWS, 1, 4096, 16, List.of(), KvType.F16);
    List<OpCase.Pass> passes =
        BATCHES.stream()
            .map(n -> new OpCase.Pass(every, List.of(new OpCase.Run(0, 0, 0, n))))
            .toList();
    return new OpCase.Setup(builder.build(out), tensors, capacity, passes, bound);
  }

  /** A case with its own capacity and steps. */
  OpCase.Setup steps(
      Value result, Capacity capacity, List<OpCase.Pass> passes, OpCase.Bound bound) {
    Value out = builder.selectOutputs("result", result);
    return new OpCase.Setup(builder.build(out), tensors, capacity, passes, bound);
  }
}
