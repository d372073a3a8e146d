package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Op.Routing;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/**
 * gpt-oss (OpenAI 2025): experts with biases and a clamped SwiGLU, attention sinks, a window in
 * every other layer, YaRN.
 */
final class GptOss {
  private GptOss() {}

  static Value forward(Decoder d) {
    var full = Attention.of(d.rope(Layout.NEOX), d.headScale()).withSinks();
    var local = full.withWindow(d.slidingWindow(128));
    boolean[] windowed = d.windowedLayers(2);
    Value x = d.embed(1);
    for (var layer : d.layers()) {
      var attention = windowed[layer.index()] ? local : full;
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, attn, 1);
      Value y = layer.norm("post_attention_norm", x);
      Value ffn = layer.experts(y, Activation.SWIGLU_OAI, Routing.TOP_K_SOFTMAX);
      x = layer.add("ffn_residual", x, ffn, 1);
    }
    return d.logits(x);
  }
}
