package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/**
 * Phi 3 and 4 (Abdin et al. 2024): Q, K and V in one tensor, gate and up in one, LongRoPE for long
 * contexts.
 */
final class Phi3 {
  private Phi3() {}

  static Value forward(Decoder d) {
    var attention = Attention.of(d.rope(Layout.NEOX), d.headScale()).withWindow(d.slidingWindow(0));
    Value x = d.embed(1);
    for (var layer : d.layers()) {
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, 1);
      Value ffn = layer.fusedFeedForward(layer.norm("ffn_norm", x), Activation.SILU);
      x = layer.add("ffn_residual", x, ffn, 1);
    }
    return d.logits(x);
  }
}
