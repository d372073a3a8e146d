package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/** Qwen 3 with a mixture of experts in every layer (Yang et al. 2025). */
final class Qwen3Moe {
  private Qwen3Moe() {}

  static Value forward(Decoder d) {
    var attention = Attention.of(d.rope(Layout.NEOX), d.headScale()).withHeadNorms();
    Value x = d.embed(1);
    for (var layer : d.layers()) {
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, 1);
      Value ffn = layer.experts(layer.norm("ffn_norm", x), Activation.SILU, Routing.SOFTMAX_NORMED);
      x = layer.add("ffn_residual", x, ffn, 1);
    }
    return d.logits(x);
  }
}
