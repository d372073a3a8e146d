package dev.ridgeline.graph;

import dev.ridgeline.graph.Value.Rows;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Cuts a graph between attention layers into parts that run one after the other, each where its
 * weights and its KV are. Between two layers one value is alive, the residual stream: the logits of
 * a part but the last are the rows of that value, for every token, and the next part starts with
 * {@link Op.Input}.
 *
 * <p>Layers of a part are numbered from 0, as backends expect; its KV groups are those windows of
 * the whole graph that its layers have.
 */
public final class LayerSplit {
  private final Graph whole;
  private final List<Op> ops = new ArrayList<>();

  private LayerSplit(Graph whole) {
    this.whole = whole;
    whole.ops().forEach(this::addApart);
  }

  /**
   * The parts of {@code graph}.
   *
   * @param layers attention layers of each part, at least one each, all of them together
   */
  public static List<Graph> split(Graph graph, List<Integer> layers) {
    if (layers.size() == 1 && layers.getFirst() == graph.kvLayers().size()) {
      return List.of(graph);
    }
    int all = layers.stream().mapToInt(Integer::intValue).sum();
    if (all != graph.kvLayers().size() || layers.stream().anyMatch(n -> n <= 0)) {
      throw new IllegalArgumentException(
          "parts of %s layers; the graph has %d".formatted(layers, graph.kvLayers().size()));
    }
    return new LayerSplit(graph).parts(layers);
  }

  /** Bytes of the rows that {@link Op.Input} of {@code graph} reads; 0 without one. */
  public static long inputBytes(Graph graph, int maxTokens) {
    return graph.ops().getFirst() instanceof Op.Input(Value out)
        ? (long) Float.BYTES * maxTokens * out.width()
        : 0;
  }

  /** A sum and its norm may belong to different parts; fusing a part joins them again. */
  private void addApart(Op op) {
    if (op instanceof Op.AddRmsNorm n) {
      ops.add(new Op.Add(n.a(), n.b(), n.scale(), n.sum()));
      ops.add(new Op.RmsNorm(n.sum(), n.weight(), n.eps(), n.out()));
    } else {
      ops.add(op);
    }
  }

  private List<Graph> parts(List<Integer> layers) {
    var parts = new ArrayList<Graph>();
    int from = 0;
    int firstLayer = 0;
    for (int i = 0; i < layers.size(); i++) {
      int end = firstLayer + layers.get(i);
      int to = i == layers.size() - 1 ? ops.size() : cut(end);
      parts.add(part(from, to, whole.kvLayers().subList(firstLayer, end)));
      from = to;
      firstLayer = end;
    }
    return parts;
  }

  private Graph part(int from, int to, List<KvLayer> layers) {
    var values = new ArrayList<>(whole.values());
    var part = new ArrayList<Op>();
    if (from > 0) {
      part.add(new Op.Input(alive(from).iterator().next()));
    }
    for (Op op : ops.subList(from, to)) {
      part.add(renumbered(op, layers.getFirst().layer()));
    }
    Value result = whole.logits();
    if (to < ops.size()) {
      Value last = alive(to).iterator().next();
      result = new Value(values.size(), last.name() + " handed over", last.width(), Rows.OUTPUTS);
      values.add(result);
      part.add(new Op.SelectOutputs(last, result));
    }
    int first = layers.getFirst().layer();
    List<KvLayer> own = layers.stream().map(l -> renumbered(l, first)).toList();
    return Fusion.fuse(new Graph(part, values, own, result));
  }

  /** The last op before which one value alone is alive, and before which layer - 1 has attended. */
  private int cut(int layer) {
    int store = storeOf(layer);
    for (int at = store; at > storeOf(layer - 1); at--) {
      Set<Value> alive = alive(at);
      if (alive.size() == 1 && alive.iterator().next().rows() == Rows.TOKENS) {
        return at;
      }
    }
    throw new IllegalArgumentException(
        "before layer %d more than one value is alive; this graph cannot be split there"
            .formatted(layer));
  }

  private int storeOf(int layer) {
    for (int i = 0; i < ops.size(); i++) {
      if (ops.get(i) instanceof Op.StoreKv s && s.layer().layer() == layer) {
        return i;
      }
    }
    throw new IllegalArgumentException("no op stores K and V of layer " + layer);
  }

  /** Values that are written before op {@code at} and read by it or later. */
  private Set<Value> alive(int at) {
    var written = new HashSet<Value>();
    ops.subList(0, at).forEach(op -> written.addAll(op.outputs()));
    var alive = new HashSet<Value>();
    ops.subList(at, ops.size()).forEach(op -> alive.addAll(op.inputs()));
    alive.retainAll(written);
    return alive;
  }

  private static Op renumbered(Op op, int first) {
    return switch (op) {
      case Op.StoreKv s -> new Op.StoreKv(s.k(), s.v(), renumbered(s.layer(), first));
      case Op.Attention a ->
          new Op.Attention(
              a.q(),
              renumbered(a.layer(), first),
              a.headCount(),
              a.scale(),
              a.softCap(),
              a.sinks(),
              a.out());
      default -> op;
    };
  }

  private static KvLayer renumbered(KvLayer l, int first) {
    return new KvLayer(l.layer() - first, l.headCountKv(), l.keyDim(), l.valueDim(), l.window());
  }
}
