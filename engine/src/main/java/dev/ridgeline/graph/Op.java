package dev.ridgeline.graph;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a model is made of. An op reads {@link #inputs()} and {@link #weights()} and writes {@link
 * #outputs()}; every value is written by exactly one op. Backends switch over these records without
 * a default branch, so that a new op is a compile error in each of them until it is there.
 *
 * <p>Notation: {@code n} rows, {@code x[t, i]} element i of row t. All activations are float32; how
 * a backend rounds inside a product (int8 activations, f16) is its own, stated, choice.
 */
public sealed interface Op {
  /** Values read, in the order of the record. */
  List<Value> inputs();

  /** Values written. */
  List<Value> outputs();

  /** Weights read, absent ones left out. */
  default List<Weight> weights() {
    return List.of();
  }

  /**
   * {@code out[t]} = row t of what was handed over before the step ran: where a part of a graph
   * goes on with what another part computed, elsewhere; see {@link LayerSplit}.
   */
  record Input(Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of();
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /** {@code out[t] = table[token[t]] * scale}. */
  record Embed(Weight table, float scale, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of();
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return List.of(table);
    }
  }

  /**
   * Root-mean-square norm (Zhang and Sennrich 2019) over groups of {@code weight.cols()} elements:
   * {@code out = x / sqrt(mean(x^2) + eps) * weight}. A weight as wide as x makes one group of the
   * row; a weight as wide as a head norms each head (Qwen 3, Gemma 3).
   */
  record RmsNorm(Value x, Weight weight, float eps, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return List.of(weight);
    }
  }

  /** {@code sum = a + b * scale; out = RmsNorm(sum, weight, eps)} over whole rows; a fusion. */
  record AddRmsNorm(Value a, Value b, float scale, Weight weight, float eps, Value sum, Value out)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(a, b);
    }

    @Override
    public List<Value> outputs() {
      return List.of(sum, out);
    }

    @Override
    public List<Weight> weights() {
      return List.of(weight);
    }
  }

  /**
   * One product: {@code out[t, r] = sum_i x[t, i] * weight[r, i] + bias[r]}.
   *
   * @param bias {@code [weight.rows()]} or absent
   */
  record Product(Weight weight, @Nullable Weight bias, Value out) {}

  /** One or more products of the same input (Q, K and V after fusion). */
  record MatMul(Value x, List<Product> products) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return products.stream().map(Product::out).toList();
    }

    @Override
    public List<Weight> weights() {
      var all = new ArrayList<Weight>();
      for (Product p : products) {
        all.add(p.weight);
        if (p.bias != null) {
          all.add(p.bias);
        }
      }
      return all;
    }
  }

  /** {@code out = act(x gate^T) * (x up^T)}: gate, up and activation in one; a fusion. */
  record GatedMatMul(Value x, Weight gate, Weight up, Activation activation, Value out)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return List.of(gate, up);
    }
  }

  /** {@code out = act(gate) * up}. */
  record Gate(Value gate, Value up, Activation activation, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(gate, up);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /**
   * Rotates every head of x by its token's position; see {@link RopeParams}.
   *
   * @param freqFactors {@code [dims / 2]} divisors of the frequencies ({@code rope_freqs.weight},
   *     long-context factors), or absent
   */
  record Rope(Value x, RopeParams params, @Nullable Weight freqFactors, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return freqFactors == null ? List.of() : List.of(freqFactors);
    }
  }

  /** Writes K and V of each token of the step into its KV slot of {@code layer}. */
  record StoreKv(Value k, Value v, KvLayer layer) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(k, v);
    }

    @Override
    public List<Value> outputs() {
      return List.of();
    }
  }

  /**
   * Causal attention of each token over the stored tokens of its own sequence at positions {@code
   * <=} its own, within the layer's window. Query head h reads KV head {@code h / (headCount /
   * headCountKv)}.
   *
   * <p>{@code s[j] = scale * q . k[j]}, then, if {@code softCap > 0}, {@code s = softCap * tanh(s /
   * softCap)}; {@code out = sum_j exp(s[j]) v[j] / (sum_j exp(s[j]) + exp(sink[h]))}, the last term
   * only with sinks (gpt-oss). Numerics: online softmax with the running maximum subtracted.
   *
   * @param q {@code [n, headCount * keyDim]}
   * @param sinks {@code [headCount]} or absent
   * @param out {@code [n, headCount * valueDim]}
   */
  record Attention(
      Value q,
      KvLayer layer,
      int headCount,
      float scale,
      float softCap,
      @Nullable Weight sinks,
      Value out)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(q);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return sinks == null ? List.of() : List.of(sinks);
    }
  }

  /** {@code out = a + b * scale}. */
  record Add(Value a, Value b, float scale, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(a, b);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /** {@code out = x * factor}. */
  record Scale(Value x, float factor, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /** {@code out = cap * tanh(x / cap)}. */
  record SoftCap(Value x, float cap, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /** Keeps the rows whose logits were asked for: {@code [n, width] -> [nOutputs, width]}. */
  record SelectOutputs(Value x, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /** How router logits become expert weights. */
  enum Routing {
    /** Softmax over all experts, the k largest, divided by their sum (Mixtral, Qwen 3 MoE). */
    SOFTMAX_NORMED,
    /** The k largest logits, softmax over those k (gpt-oss). */
    TOP_K_SOFTMAX
  }

  /**
   * Chooses {@code k} experts a token: {@code out[t] = [id_0 .. id_(k-1), w_0 .. w_(k-1)]}, ids
   * exact in float32, by falling logit (ties: the lower id first).
   *
   * @param logits {@code [n, experts]}
   * @param out {@code [n, 2 k]}
   */
  record Route(Value logits, int k, Routing routing, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(logits);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }

  /**
   * The product of each token with the matrices of its k experts: {@code out[t, j*rows + r] = sum_i
   * x_j[t, i] * weight[id_j][r, i] + bias[id_j, r]}, where {@code x_j[t]} is all of x[t] when x is
   * {@code weight.cols()} wide, and its j-th part when it is k times as wide.
   *
   * @param bias {@code cols = weight.rows(), rows = experts}, or absent
   * @param out {@code [n, k * weight.rows()]}
   */
  record ExpertMatMul(Value x, Value route, Weight weight, @Nullable Weight bias, Value out)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x, route);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }

    @Override
    public List<Weight> weights() {
      return bias == null ? List.of(weight) : List.of(weight, bias);
    }
  }

  /** {@code out[t] = sum_j w_j[t] * x_j[t]}: {@code [n, k * width] -> [n, width]}. */
  record ExpertSum(Value x, Value route, Value out) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(x, route);
    }

    @Override
    public List<Value> outputs() {
      return List.of(out);
    }
  }
}
