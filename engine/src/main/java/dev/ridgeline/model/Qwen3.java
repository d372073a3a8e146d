package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/** Qwen 3 (Yang et al. 2025): query and key heads are normed. */
final class Qwen3 {
  private Qwen3() {}

  static Value forward(Decoder d) {
    var attention = Attention.of(d.rope(Layout.NEOX), d.headScale()).withHeadNorms();
    Value x = d.embed(1);
    for (var layer : d.layers()) {
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, 1);
      Value ffn = layer.feedForward(layer.norm("ffn_norm", x), Activation.SILU);
      x = layer.add("ffn_residual", x, ffn, 1);
    }
    return d.logits(x);
  }
}
