package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/** Granite 3 (IBM 2024): Llama with four scales in place of 1 (muP; Yang et al. 2022). */
final class Granite {
  private Granite() {}

  static Value forward(Decoder d) {
    float scale = d.keys().positiveOrNone("attention.scale", d.headScale());
    float residual = d.keys().positiveOrNone("residual_scale", 1);
    var attention = Attention.of(d.rope(Layout.NORM), scale);
    Value x = d.embed(d.keys().positiveOrNone("embedding_scale", 1));
    for (var layer : d.layers()) {
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, residual);
      Value ffn = layer.feedForward(layer.norm("ffn_norm", x), Activation.SILU);
      x = layer.add("ffn_residual", x, ffn, residual);
    }
    return d.scale(d.logits(x), 1 / d.keys().positive("logit_scale"));
  }
}
