package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * From the ops of a (fused) graph to what the device runs: norms join the products that alone read
 * them, and what lies between Q, K, V and attention becomes one kernel.
 */
final class Lowering {
  /** A norm's row is kept in the registers of 256 invocations. */
  private static final int MAX_NORM_COLS = 16_384;

  private final Graph graph;
  private final Map<Value, Op> producers = new HashMap<>();
  private final Map<Value, List<Op>> consumers = new HashMap<>();
  private final Set<Op> merged = new HashSet<>();

  private Lowering(Graph graph) {
    this.graph = graph;
    for (Op op : graph.ops()) {
      op.outputs().forEach(v -> producers.put(v, op));
      op.inputs().forEach(v -> consumers.computeIfAbsent(v, _ -> new ArrayList<>()).add(op));
    }
  }

  /**
   * {@code graph} with gated products of two formats taken apart: a kernel knows one format. Values
   * keep their ids.
   */
  static Graph split(Graph graph) {
    var ops = new ArrayList<Op>();
    var values = new ArrayList<>(graph.values());
    for (Op op : graph.ops()) {
      if (op instanceof Op.GatedMatMul m && m.gate().type() != m.up().type()) {
        var gate =
            new Value(values.size(), m.out().name() + " gate", m.out().width(), m.out().rows());
        values.add(gate);
        var up = new Value(values.size(), m.out().name() + " up", m.out().width(), m.out().rows());
        values.add(up);
        ops.add(
            new Op.MatMul(
                m.x(),
                List.of(new Op.Product(m.gate(), null, gate), new Op.Product(m.up(), null, up))));
        ops.add(new Op.Gate(gate, up, m.activation(), m.out()));
      } else {
        ops.add(op);
      }
    }
    return new Graph(ops, values, graph.kvLayers(), graph.logits());
  }

  /** The ops of {@code graph}, in an order in which they can run. */
  static List<GpuOp> of(Graph graph) {
    return new Lowering(graph).lower();
  }

  private List<GpuOp> lower() {
    Map<Op, GpuOp> lowered = new LinkedHashMap<>();
    for (Op op : graph.ops()) {
      switch (op) {
        case Op.StoreKv s -> heads(s, lowered);
        case Op.MatMul m -> lowered.put(m, new GpuOp.Products(norm(m.x(), m), m));
        case Op.GatedMatMul m -> lowered.put(m, new GpuOp.Products(norm(m.x(), m), m));
        default -> lowered.putIfAbsent(op, new GpuOp.Plain(op));
      }
    }
    merged.forEach(lowered::remove);
    return List.copyOf(lowered.values());
  }

  /** The op that alone reads {@code value}, or null. */
  private @Nullable Op soleReader(Value value) {
    List<Op> all = consumers.getOrDefault(value, List.of());
    return all.size() == 1 && !value.equals(graph.logits()) ? all.getFirst() : null;
  }

  /** The norm that makes {@code x} for {@code product}, if both can be one. */
  private GpuOp.@Nullable Norm norm(Value x, Op product) {
    int cols = x.width();
    boolean possible =
        cols % 32 == 0
            && cols <= MAX_NORM_COLS
            && product == soleReader(x)
            && product.weights().stream().filter(w -> w.rows() > 1).allMatch(Lowering::isInteger);
    if (!possible) {
      return null;
    }
    return switch (producers.get(x)) {
      case Op.RmsNorm n when n.weight().cols() == cols -> {
        merged.add(n);
        yield new GpuOp.Norm(n.x(), null, null, 0, n.weight(), n.eps(), null, null, x, List.of(n));
      }
      case Op.AddRmsNorm n when isReadAfter(n.sum(), product) -> {
        merged.add(n);
        if (producers.get(n.b()) instanceof Op.RmsNorm post
            && post.weight().cols() == cols
            && post.eps() == n.eps()
            && n == soleReader(n.b())) {
          merged.add(post);
          yield new GpuOp.Norm(
              n.a(),
              post.x(),
              post.weight(),
              n.scale(),
              n.weight(),
              n.eps(),
              n.sum(),
              post.out(),
              x,
              List.of(post, n));
        }
        yield new GpuOp.Norm(
            n.a(), n.b(), null, n.scale(), n.weight(), n.eps(), n.sum(), null, x, List.of(n));
      }
      case null, default -> null;
    };
  }

  /**
   * Whether everything that reads {@code value} comes after {@code op}, which then may write it.
   */
  private boolean isReadAfter(Value value, Op op) {
    int at = graph.ops().indexOf(op);
    return !value.equals(graph.logits())
        && consumers.getOrDefault(value, List.of()).stream()
            .allMatch(reader -> graph.ops().indexOf(reader) > at);
  }

  /** Whether products with {@code weight} take activations as int8 when there are few tokens. */
  static boolean isInteger(Weight weight) {
    return weight.type().isQuantized();
  }

  private record Head(Value x, @Nullable Weight norm, float eps, Op.Rope rope, List<Op> ops) {}

  /** The rotation that makes {@code value} for its sole reader, and the norm of heads before it. */
  private @Nullable Head head(Value value, Op reader) {
    if (!(producers.get(value) instanceof Op.Rope rope) || soleReader(value) != reader) {
      return null;
    }
    if (producers.get(rope.x()) instanceof Op.RmsNorm n
        && n.weight().cols() == rope.params().headDim()
        && soleReader(rope.x()) == rope) {
      return new Head(n.x(), n.weight(), n.eps(), rope, List.of(n, rope));
    }
    return new Head(rope.x(), null, 0, rope, List.of(rope));
  }

  /** The store, or attention in its place, which then makes the heads and stores them. */
  private void heads(Op.StoreKv store, Map<Op, GpuOp> lowered) {
    Op.Attention attention = attentionOf(store);
    Head k = head(store.k(), store);
    Head q = attention == null ? null : head(attention.q(), attention);
    if (attention == null
        || k == null
        || q == null
        || !lowered.containsKey(q.rope)
        || !q.rope.params().equals(k.rope.params())
        || !Objects.equals(q.rope.freqFactors(), k.rope.freqFactors())
        || (q.norm != null && k.norm != null && q.eps != k.eps)
        || q.rope.params().headDim() != store.layer().keyDim()) {
      lowered.put(store, new GpuOp.Plain(store));
      return;
    }
    var ops = new ArrayList<>(q.ops);
    ops.addAll(k.ops);
    ops.add(store);
    merged.addAll(q.ops);
    merged.addAll(k.ops);
    float eps = q.norm != null ? q.eps : k.eps;
    var heads =
        new GpuOp.Heads(
            q.x,
            k.x,
            store.v(),
            q.norm,
            k.norm,
            eps,
            q.rope.params(),
            q.rope,
            store.layer(),
            q.rope.out(),
            List.copyOf(ops));
    lowered.put(attention, new GpuOp.Attend(heads, attention));
  }

  private Op.@Nullable Attention attentionOf(Op.StoreKv store) {
    for (Op op : graph.ops()) {
      if (op instanceof Op.Attention a && a.layer().equals(store.layer())) {
        return a;
      }
    }
    return null;
  }
}
