package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The pieces that decoder-only transformers are made of. An architecture file puts them together;
 * each method adds ops to the graph under construction, with the weights that the file must have
 * for them, and returns the resulting value.
 */
final class Decoder {
  /** Tokens a window may span; files write 2^18 and more where they mean none. */
  private static final int MAX_WINDOW = Integer.MAX_VALUE;

  private final Keys keys;
  private final Tensors tensors;
  private final Hyperparameters h;
  private final int context;
  private final GraphBuilder graph = new GraphBuilder();

  /**
   * @param context tokens the model will be run with
   */
  Decoder(Keys keys, Tensors tensors, Hyperparameters h, int context) {
    this.keys = keys;
    this.tensors = tensors;
    this.h = h;
    this.context = context;
  }

  Keys keys() {
    return keys;
  }

  Hyperparameters hyperparameters() {
    return h;
  }

  /** The file's rotary position embedding. */
  Rope rope(Layout layout) {
    return Rope.read(keys, tensors, layout, h.heads().keyLength(), h.contextLength(), context);
  }

  /** {@code 1 / sqrt(head length)}, the usual factor of the scores (Vaswani et al. 2017). */
  float headScale() {
    return (float) (1 / Math.sqrt(h.heads().keyLength()));
  }

  /** {@code attention.sliding_window}, or {@code otherwise} when the key is missing. */
  int slidingWindow(int otherwise) {
    return keys.countOrNone("attention.sliding_window", MAX_WINDOW, otherwise);
  }

  /** Which layers have the window; see {@link Keys#windowed}. */
  boolean[] windowedLayers(int period) {
    return keys.windowed(h.blockCount(), period);
  }

  /** The residual stream's first value: each token's embedding times {@code scale}. */
  Value embed(float scale) {
    return graph.embed("token_embd", tokenEmbedding(), scale);
  }

  /** The layers, first to last. */
  List<Layer> layers() {
    return IntStream.range(0, h.blockCount()).mapToObj(Layer::new).toList();
  }

  /** The last norm and the product with the output matrix, or with the embedding where tied. */
  Value logits(Value x) {
    Value normed =
        graph.rmsNorm(
            "output_norm", x, tensors.vector("output_norm.weight", x.width()), h.rmsEpsilon());
    Weight output =
        tensors.has("output.weight")
            ? tensors.matrix("output.weight", h.embeddingLength(), h.vocabularySize())
            : tokenEmbedding();
    return graph.matMul(
        "output", normed, output, tensors.optionalVector("output.bias", output.rows()));
  }

  /** {@code logits * factor}. */
  Value scale(Value logits, float factor) {
    return graph.scale("output_scaled", logits, factor);
  }

  /** {@code cap * tanh(logits / cap)}; the logits as they are where the cap is 0. */
  Value softCap(Value logits, float cap) {
    return graph.softCap("output_capped", logits, cap);
  }

  /** The finished graph. */
  Graph build(Value logits) {
    return graph.build(logits);
  }

  private Weight tokenEmbedding() {
    return tensors.matrix("token_embd.weight", h.embeddingLength(), h.vocabularySize());
  }

  /** One layer: its index goes into the names of weights and values. */
  final class Layer {
    private final int index;

    private Layer(int index) {
      this.index = index;
    }

    int index() {
      return index;
    }

    private boolean isLast() {
      return index == h.blockCount() - 1;
    }

    private String name(String part) {
      return "blk." + index + "." + part;
    }

    /** Root-mean-square norm over the row. */
    Value norm(String part, Value x) {
      return norm(part, x, x.width());
    }

    private Value norm(String part, Value x, int group) {
      Weight weight = tensors.vector(name(part + ".weight"), group);
      return graph.rmsNorm(name(part), x, weight, h.rmsEpsilon());
    }

    /**
     * {@code x + branch * scale}. Once a branch has only the rows whose logits are wanted, so has
     * the residual stream.
     */
    Value add(String part, Value x, Value branch, float scale) {
      Value rows = x.rows() == branch.rows() ? x : graph.selectOutputs(name(part + "_rows"), x);
      return graph.add(name(part), rows, branch, scale);
    }

    /**
     * Causal self-attention with the output projection. The last layer goes on with the rows whose
     * logits are wanted alone: the others have given all they can, their K and V.
     */
    Value attention(Value x, Attention a) {
      var heads = h.heads();
      int qWidth = heads.count() * heads.keyLength();
      int kWidth = heads.countKv() * heads.keyLength();
      int vWidth = heads.countKv() * heads.valueLength();
      Value q;
      Value k;
      Value v;
      String fused = name("attn_qkv.weight");
      if (tensors.has(fused)) {
        Weight qkv = tensors.matrix(fused, x.width(), qWidth + kWidth + vWidth);
        q = graph.matMul(name("attn_q"), x, qkv.band(0, qWidth), null);
        k = graph.matMul(name("attn_k"), x, qkv.band(qWidth, kWidth), null);
        v = graph.matMul(name("attn_v"), x, qkv.band(qWidth + kWidth, vWidth), null);
      } else {
        q = project("attn_q", x, qWidth);
        k = project("attn_k", x, kWidth);
        v = project("attn_v", x, vWidth);
      }
      if (a.headNorms()) {
        q = norm("attn_q_norm", q, heads.keyLength());
        k = norm("attn_k_norm", k, heads.keyLength());
      }
      q = graph.rope(name("attn_q_rope"), q, a.rope().params(), a.rope().factors());
      k = graph.rope(name("attn_k_rope"), k, a.rope().params(), a.rope().factors());
      Value out = graph.attention(name("attn"), q, k, v, params(a));
      if (isLast()) {
        out = graph.selectOutputs(name("attn_rows"), out);
      }
      return project("attn_output", out, h.embeddingLength());
    }

    private GraphBuilder.AttentionParams params(Attention a) {
      var heads = h.heads();
      @Nullable Weight sinks =
          a.sinks() ? tensors.vector(name("attn_sinks.weight"), heads.count()) : null;
      return new GraphBuilder.AttentionParams(
          heads.count(),
          heads.countKv(),
          heads.keyLength(),
          heads.valueLength(),
          a.window(),
          a.scale(),
          a.softCap(),
          sinks);
    }

    /** {@code down(act(gate(x)) * up(x))} (Shazeer 2020). */
    Value feedForward(Value x, Activation activation) {
      Value gate = project("ffn_gate", x, h.feedForwardLength());
      Value up = project("ffn_up", x, h.feedForwardLength());
      return feedForward(gate, up, activation);
    }

    /** The same, with gate and up stored in one tensor {@code ffn_up}, gate first. */
    Value fusedFeedForward(Value x, Activation activation) {
      int width = h.feedForwardLength();
      Weight both = tensors.matrix(name("ffn_up.weight"), x.width(), 2 * width);
      Value gate = graph.matMul(name("ffn_gate"), x, both.band(0, width), null);
      Value up = graph.matMul(name("ffn_up"), x, both.band(width, width), null);
      return feedForward(gate, up, activation);
    }

    private Value feedForward(Value gate, Value up, Activation activation) {
      Value act = graph.gate(name("ffn_act"), gate, up, activation);
      return project("ffn_down", act, h.embeddingLength());
    }

    /** A mixture of experts: a router chooses a few feed-forward layers for each token. */
    Value experts(Value x, Activation activation, Routing routing) {
      var e = h.experts().orElseThrow(() -> keys.refuse("expert_count", 0, "1 or more"));
      if (tensors.has(name("ffn_gate.0.weight"))) {
        throw tensors.refuse(
            name("ffn_gate.0.weight"),
            "holds one expert, a layout given up in 2024; convert the model again to stack its"
                + " experts in 'ffn_gate_exps'");
      }
      Value route =
          graph.route(
              name("ffn_route"), project("ffn_gate_inp", x, e.count()), e.usedCount(), routing);
      Value gate = project("ffn_gate_exps", x, route, x.width(), e.feedForwardLength());
      Value up = project("ffn_up_exps", x, route, x.width(), e.feedForwardLength());
      Value act = graph.gate(name("ffn_act_exps"), gate, up, activation);
      Value down = project("ffn_down_exps", act, route, e.feedForwardLength(), x.width());
      return graph.expertSum(name("ffn_experts"), down, route);
    }

    /** The product with {@code part.weight}, plus {@code part.bias} where the file has it. */
    private Value project(String part, Value x, int rows) {
      Weight weight = tensors.matrix(name(part + ".weight"), x.width(), rows);
      @Nullable Weight bias = tensors.optionalVector(name(part + ".bias"), rows);
      return graph.matMul(name(part), x, weight, bias);
    }

    /** The same by the experts of {@code route}, each with its own matrix and bias. */
    private Value project(String part, Value x, Value route, int cols, int rows) {
      int experts = h.experts().orElseThrow().count();
      Weight weight = tensors.experts(name(part + ".weight"), cols, rows, experts);
      String bias = name(part + ".bias");
      return graph.expertMatMul(
          name(part),
          x,
          route,
          weight,
          tensors.has(bias) ? tensors.vectors(bias, rows, experts) : null);
    }
  }
}
