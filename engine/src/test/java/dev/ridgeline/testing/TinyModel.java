package dev.ridgeline.testing;

import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/**
 * A model of two layers with random weights that has a bit of everything: a dense layer that sees
 * all positions, a layer of experts behind a window of {@link #WINDOW} with sinks, caps, biases and
 * norms of heads. 64 wide, 4 heads of 32 over 2, a vocabulary of 97.
 */
public final class TinyModel {
  /** Tokens. */
  public static final int VOCABULARY = 97;

  /** Of the second layer. */
  public static final int WINDOW = 12;

  /** Of the second layer. */
  public static final int EXPERTS = 5;

  private static final int WIDTH = 64;
  private static final int HEAD = 32;

  private final GraphBuilder b = new GraphBuilder();
  private final Map<String, Tensor> tensors = new HashMap<>();

  /** Its graph. */
  public final Graph graph;

  /** With two experts used by each token. */
  public TinyModel(DType type) {
    this(type, 2);
  }

  /**
   * Weights of {@code type}; those of vectors and experts are F32.
   *
   * @param expertsUsed of {@link #EXPERTS}, by each token
   */
  public TinyModel(DType type, int expertsUsed) {
    Value x = b.embed("embed", matrix("embed", type, WIDTH, VOCABULARY, 1), 1);
    x = b.add("attn0", x, attention(x, 0, 0, type), 1);
    x = b.add("ffn0", x, dense(x, type), 1);
    x = b.add("attn1", x, attention(x, 1, WINDOW, type), 1);
    x = b.add("ffn1", x, experts(x, expertsUsed), 1);
    Value last = b.rmsNorm("norm", b.selectOutputs("outputs", x), vector("norm", WIDTH), 1e-6f);
    Value logits = b.matMul("head", last, matrix("head", type, WIDTH, VOCABULARY, 1), null);
    graph = b.build(b.softCap("logits", logits, 30));
  }

  /** Its tensors. */
  public Weights weights() {
    return name -> {
      Tensor tensor = tensors.get(name);
      if (tensor == null) {
        throw new IllegalArgumentException("no tensor '" + name + "'");
      }
      return tensor;
    };
  }

  private Value attention(Value x, int layer, int window, DType type) {
    Value normed = b.rmsNorm("attn_norm" + layer, x, vector("attn_norm" + layer, WIDTH), 1e-6f);
    Value q = b.matMul("q" + layer, normed, matrix("q" + layer, type, WIDTH, 4 * HEAD, 1), null);
    Value k = b.matMul("k" + layer, normed, matrix("k" + layer, type, WIDTH, 2 * HEAD, 1), null);
    Value v =
        b.matMul(
            "v" + layer,
            normed,
            matrix("v" + layer, type, WIDTH, 2 * HEAD, 1),
            vector("v_bias" + layer, 2 * HEAD));
    q = b.rmsNorm("q_normed" + layer, q, vector("q_norm" + layer, HEAD), 1e-6f);
    var rope = RopeParams.plain(layer == 0 ? Layout.NORM : Layout.NEOX, HEAD, HEAD, 10_000);
    q = b.rope("q_roped" + layer, q, rope, null);
    k = b.rope("k_roped" + layer, k, rope, null);
    Weight sinks = window > 0 ? vector("sinks" + layer, 4) : null;
    float softCap = window > 0 ? 20 : 0;
    var params = new AttentionParams(4, 2, HEAD, HEAD, window, 0.18f, softCap, sinks);
    Value out = b.attention("attended" + layer, q, k, v, params);
    return b.matMul("o" + layer, out, matrix("o" + layer, type, 4 * HEAD, WIDTH, 1), null);
  }

  private Value dense(Value x, DType type) {
    Value normed = b.rmsNorm("ffn_norm", x, vector("ffn_norm", WIDTH), 1e-6f);
    Value gate = b.matMul("gate", normed, matrix("gate", type, WIDTH, 160, 1), null);
    Value up = b.matMul("up", normed, matrix("up", type, WIDTH, 160, 1), null);
    Value gated = b.gate("gated", gate, up, Activation.SILU);
    return b.matMul("down", gated, matrix("down", type, 160, WIDTH, 1), null);
  }

  private Value experts(Value x, int used) {
    Value normed = b.rmsNorm("moe_norm", x, vector("moe_norm", WIDTH), 1e-6f);
    Value router = b.matMul("router", normed, matrix("router", DType.F32, WIDTH, EXPERTS, 1), null);
    Value route = b.route("route", router, used, Routing.SOFTMAX_NORMED);
    Weight up = matrix("up_exps", DType.F32, WIDTH, 48, EXPERTS);
    Weight gate = matrix("gate_exps", DType.F32, WIDTH, 48, EXPERTS);
    Weight down = matrix("down_exps", DType.F32, 48, WIDTH, EXPERTS);
    Value gated =
        b.gate(
            "expert_gated",
            b.expertMatMul("expert_gate", normed, route, gate, null),
            b.expertMatMul("expert_up", normed, route, up, null),
            Activation.GELU_TANH);
    return b.expertSum("experts", b.expertMatMul("expert_down", gated, route, down, null), route);
  }

  private Weight vector(String name, int width) {
    return matrix(name, DType.F32, width, 1, 1);
  }

  private Weight matrix(String name, DType type, int cols, int rows, int experts) {
    Shape shape = new Shape(cols, rows, experts, 1);
    tensors.put(name, OpData.encoded(name, type, shape, name.hashCode()));
    return new Weight(name, type, cols, rows, 0, experts);
  }
}
