package dev.ridgeline.graph;

import dev.ridgeline.graph.Value.Rows;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Adds ops one after the other; each method names its result and returns it. */
public final class GraphBuilder {
  private final List<Op> ops = new ArrayList<>();
  private final List<Value> values = new ArrayList<>();
  private final List<KvLayer> kvLayers = new ArrayList<>();

  /** A new value; for passes that rewrite graphs, builders of ops use the methods below. */
  public Value value(String name, int width, Rows rows) {
    Value v = new Value(values.size(), name, width, rows);
    values.add(v);
    return v;
  }

  /** Adds an op as it is. */
  public void add(Op op) {
    ops.add(op);
  }

  /** {@link Op.Embed}. */
  public Value embed(String name, Weight table, float scale) {
    Value out = value(name, table.cols(), Rows.TOKENS);
    ops.add(new Op.Embed(table, scale, out));
    return out;
  }

  /** {@link Op.RmsNorm}. */
  public Value rmsNorm(String name, Value x, Weight weight, float eps) {
    require(x.width() % weight.cols() == 0, name, "norm width", weight.cols(), x.width());
    Value out = value(name, x.width(), x.rows());
    ops.add(new Op.RmsNorm(x, weight, eps, out));
    return out;
  }

  /** {@link Op.MatMul} with one product. */
  public Value matMul(String name, Value x, Weight weight, @Nullable Weight bias) {
    require(x.width() == weight.cols(), name, "input width", weight.cols(), x.width());
    require(bias == null || bias.cols() == weight.rows(), name, "bias", weight.rows(), bias);
    Value out = value(name, weight.rows(), x.rows());
    ops.add(new Op.MatMul(x, List.of(new Op.Product(weight, bias, out))));
    return out;
  }

  /** {@link Op.Gate}. */
  public Value gate(String name, Value gate, Value up, Activation activation) {
    require(gate.width() == up.width(), name, "width", gate.width(), up.width());
    Value out = value(name, gate.width(), gate.rows());
    ops.add(new Op.Gate(gate, up, activation, out));
    return out;
  }

  /** {@link Op.Rope}. */
  public Value rope(String name, Value x, RopeParams params, @Nullable Weight freqFactors) {
    require(x.width() % params.headDim() == 0, name, "head width", params.headDim(), x.width());
    require(
        freqFactors == null || freqFactors.cols() == params.dims() / 2,
        name,
        "frequency factors",
        params.dims() / 2,
        freqFactors);
    Value out = value(name, x.width(), x.rows());
    ops.add(new Op.Rope(x, params, freqFactors, out));
    return out;
  }

  /** A new attention layer with {@link Op.StoreKv} and {@link Op.Attention}. */
  public Value attention(String name, Value q, Value k, Value v, AttentionParams p) {
    require(q.width() == p.headCount() * p.keyDim(), name, "q width", p, q.width());
    require(k.width() == p.headCountKv() * p.keyDim(), name, "k width", p, k.width());
    require(v.width() == p.headCountKv() * p.valueDim(), name, "v width", p, v.width());
    var layer = new KvLayer(kvLayers.size(), p.headCountKv(), p.keyDim(), p.valueDim(), p.window());
    kvLayers.add(layer);
    ops.add(new Op.StoreKv(k, v, layer));
    Value out = value(name, p.headCount() * p.valueDim(), Rows.TOKENS);
    ops.add(new Op.Attention(q, layer, p.headCount(), p.scale(), p.softCap(), p.sinks(), out));
    return out;
  }

  /** Everything about an attention layer but its tensors' values; see {@link Op.Attention}. */
  public record AttentionParams(
      int headCount,
      int headCountKv,
      int keyDim,
      int valueDim,
      int window,
      float scale,
      float softCap,
      @Nullable Weight sinks) {}

  /** {@link Op.Add}: {@code a + b * scale}. */
  public Value add(String name, Value a, Value b, float scale) {
    require(a.width() == b.width(), name, "width", a.width(), b.width());
    Value out = value(name, a.width(), a.rows());
    ops.add(new Op.Add(a, b, scale, out));
    return out;
  }

  /** {@link Op.Scale}; x itself when the factor is 1. */
  public Value scale(String name, Value x, float factor) {
    if (factor == 1) {
      return x;
    }
    Value out = value(name, x.width(), x.rows());
    ops.add(new Op.Scale(x, factor, out));
    return out;
  }

  /** {@link Op.SoftCap}; x itself when the cap is 0. */
  public Value softCap(String name, Value x, float cap) {
    if (cap == 0) {
      return x;
    }
    Value out = value(name, x.width(), x.rows());
    ops.add(new Op.SoftCap(x, cap, out));
    return out;
  }

  /** {@link Op.SelectOutputs}. */
  public Value selectOutputs(String name, Value x) {
    Value out = value(name, x.width(), Rows.OUTPUTS);
    ops.add(new Op.SelectOutputs(x, out));
    return out;
  }

  /** {@link Op.Route}. */
  public Value route(String name, Value logits, int k, Op.Routing routing) {
    require(k > 0 && k <= logits.width(), name, "experts used", logits.width(), k);
    Value out = value(name, 2 * k, logits.rows());
    ops.add(new Op.Route(logits, k, routing, out));
    return out;
  }

  /** {@link Op.ExpertMatMul}. */
  public Value expertMatMul(
      String name, Value x, Value route, Weight weight, @Nullable Weight bias) {
    int k = route.width() / 2;
    require(
        x.width() == weight.cols() || x.width() == k * weight.cols(),
        name,
        "input width",
        weight.cols(),
        x.width());
    Value out = value(name, k * weight.rows(), x.rows());
    ops.add(new Op.ExpertMatMul(x, route, weight, bias, out));
    return out;
  }

  /** {@link Op.ExpertSum}. */
  public Value expertSum(String name, Value x, Value route) {
    Value out = value(name, x.width() / (route.width() / 2), x.rows());
    ops.add(new Op.ExpertSum(x, route, out));
    return out;
  }

  /** The finished graph. */
  public Graph build(Value logits) {
    return new Graph(ops, values, kvLayers, logits);
  }

  private static void require(
      boolean condition,
      String name,
      String what,
      @Nullable Object expected,
      @Nullable Object found) {
    if (!condition) {
      throw new IllegalArgumentException(
          "'%s': %s: expected %s, found %s".formatted(name, what, expected, found));
    }
  }
}
