package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/**
 * Llama 2 (Touvron et al. 2023) and 3 (Grattafiori et al. 2024), Mistral (Jiang et al. 2023) and,
 * with experts, Mixtral (Jiang et al. 2024).
 */
final class Llama {
  private Llama() {}

  static Value forward(Decoder d) {
    var attention = Attention.of(d.rope(Layout.NORM), d.headScale()).withWindow(d.slidingWindow(0));
    boolean experts = d.hyperparameters().experts().isPresent();
    Value x = d.embed(1);
    for (var layer : d.layers()) {
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, 1);
      Value y = layer.norm("ffn_norm", x);
      Value ffn =
          experts
              ? layer.experts(y, Activation.SILU, Routing.SOFTMAX_NORMED)
              : layer.feedForward(y, Activation.SILU);
      x = layer.add("ffn_residual", x, ffn, 1);
    }
    return d.logits(x);
  }
}
