package dev.ridgeline.model;

import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/**
 * Gemma 3 (Gemma Team 2025): five layers of six have a window and a rotation of their own, with a
 * lower base and without the scaling for long contexts; query and key heads are normed.
 */
final class Gemma3 {
  private static final int LAYERS_27B = 62;

  private Gemma3() {}

  static Value forward(Decoder d) {
    Rope rope = d.rope(Layout.NEOX);
    var full = Attention.of(rope, attentionScale(d, LAYERS_27B)).withHeadNorms();
    int window = d.slidingWindow(0);
    var local =
        window == 0
            ? full
            : full.withWindow(window)
                .withRope(rope.unscaled(d.keys().positive("rope.freq_base_swa", 10000)));
    Value logits = forward(d, full, local, 6);
    return d.softCap(logits, d.keys().cap("final_logit_softcapping", 0));
  }

  /** What Gemma 2 and 3 share: norms before and after each branch, GeGLU, scaled embeddings. */
  static Value forward(Decoder d, Attention full, Attention local, int period) {
    boolean[] windowed = d.windowedLayers(period);
    Value x = d.embed((float) Math.sqrt(d.hyperparameters().embeddingLength()));
    for (var layer : d.layers()) {
      var attention = windowed[layer.index()] ? local : full;
      Value attn = layer.attention(layer.norm("attn_norm", x), attention);
      x = layer.add("attn_residual", x, layer.norm("post_attention_norm", attn), 1);
      Value ffn = layer.feedForward(layer.norm("ffn_norm", x), Activation.GELU_TANH);
      x = layer.add("ffn_residual", x, layer.norm("post_ffw_norm", ffn), 1);
    }
    return d.logits(x);
  }

  /** {@code 1 / sqrt(head length)}, but {@code 1 / sqrt(embedding / heads)} in the 27B models. */
  static float attentionScale(Decoder d, int layersOf27b) {
    var h = d.hyperparameters();
    int dims = h.embeddingLength() / h.heads().count();
    return h.blockCount() == layersOf27b ? (float) (1 / Math.sqrt(dims)) : d.headScale();
  }
}
