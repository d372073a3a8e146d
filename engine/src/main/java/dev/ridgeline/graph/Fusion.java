package dev.ridgeline.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites a graph into fewer, larger ops that compute the same values. Every backend compiles the
 * fused graph, so that architecture files stay as plain as their papers.
 *
 * <ul>
 *   <li>A {@link Op.Gate} whose two operands are bias-free products of one input, read by nobody
 *       else, becomes {@link Op.GatedMatMul}.
 *   <li>An {@link Op.Add} and the first {@link Op.RmsNorm} over whole rows of its sum become {@link
 *       Op.AddRmsNorm}; the sum stays a value, for the residual stream.
 *   <li>All remaining products of one input become one {@link Op.MatMul} (Q, K and V).
 * </ul>
 *
 * <p>Values keep their ids. Those that a fusion made unnecessary stay in {@link Graph#values()},
 * written and read by no op.
 */
public final class Fusion {
  private Fusion() {}

  /** The fused form of {@code graph}; fusing it again changes nothing. */
  public static Graph fuse(Graph graph) {
    List<Op> ops = mergeProducts(fuseNorms(fuseGates(graph.ops(), graph.logits())));
    return new Graph(ops, graph.values(), graph.kvLayers(), graph.logits());
  }

  private record Source(Value x, Op.Product product) {}

  private static List<Op> fuseGates(List<Op> ops, Value logits) {
    Map<Value, Integer> reads = new HashMap<>();
    reads.put(logits, 1);
    Map<Value, Source> sources = new HashMap<>();
    for (Op op : ops) {
      op.inputs().forEach(v -> reads.merge(v, 1, Integer::sum));
      if (op instanceof Op.MatMul(Value x, List<Op.Product> products)) {
        products.forEach(p -> sources.put(p.out(), new Source(x, p)));
      }
    }
    Map<Op, Op> fused = new HashMap<>();
    Set<Value> gone = new HashSet<>();
    for (Op op : ops) {
      if (op instanceof Op.Gate gate
          && reads.getOrDefault(gate.gate(), 0) == 1
          && reads.getOrDefault(gate.up(), 0) == 1) {
        fused(gate, sources.get(gate.gate()), sources.get(gate.up()))
            .ifPresent(
                f -> {
                  fused.put(gate, f);
                  gone.add(gate.gate());
                  gone.add(gate.up());
                });
      }
    }
    List<Op> result = new ArrayList<>();
    for (Op op : ops) {
      if (op instanceof Op.MatMul(Value x, List<Op.Product> products)) {
        List<Op.Product> kept = products.stream().filter(p -> !gone.contains(p.out())).toList();
        if (!kept.isEmpty()) {
          result.add(new Op.MatMul(x, kept));
        }
      } else {
        result.add(fused.getOrDefault(op, op));
      }
    }
    return result;
  }

  private static Optional<Op> fused(Op.Gate gate, @Nullable Source g, @Nullable Source u) {
    if (g == null || u == null || !g.x().equals(u.x())) {
      return Optional.empty();
    }
    Op.Product left = g.product();
    Op.Product right = u.product();
    return left.bias() != null || right.bias() != null
        ? Optional.empty()
        : Optional.of(
            new Op.GatedMatMul(
                g.x(), left.weight(), right.weight(), gate.activation(), gate.out()));
  }

  private static List<Op> fuseNorms(List<Op> ops) {
    Map<Value, Op.RmsNorm> normOf = new HashMap<>();
    for (Op op : ops) {
      if (op instanceof Op.RmsNorm norm && norm.weight().cols() == norm.x().width()) {
        normOf.putIfAbsent(norm.x(), norm);
      }
    }
    List<Op> result = new ArrayList<>();
    Set<Op> done = new HashSet<>();
    for (Op op : ops) {
      if (op instanceof Op.Add(Value a, Value b, float scale, Value sum)) {
        Op.RmsNorm norm = normOf.get(sum);
        if (norm != null) {
          done.add(norm);
          op = new Op.AddRmsNorm(a, b, scale, norm.weight(), norm.eps(), sum, norm.out());
        }
      }
      if (!done.contains(op)) {
        result.add(op);
      }
    }
    return result;
  }

  private static List<Op> mergeProducts(List<Op> ops) {
    Map<Value, List<Op.Product>> productsOf = new LinkedHashMap<>();
    for (Op op : ops) {
      if (op instanceof Op.MatMul(Value x, List<Op.Product> products)) {
        productsOf.computeIfAbsent(x, _ -> new ArrayList<>()).addAll(products);
      }
    }
    List<Op> result = new ArrayList<>();
    for (Op op : ops) {
      if (op instanceof Op.MatMul matMul) {
        List<Op.Product> products = productsOf.remove(matMul.x());
        if (products != null) {
          result.add(new Op.MatMul(matMul.x(), List.copyOf(products)));
        }
      } else {
        result.add(op);
      }
    }
    return result;
  }
}
