package dev.ridgeline.model;

import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;

/** Gemma 2 (Gemma Team 2024): capped scores and logits, a window in every other layer. */
final class Gemma2 {
  private static final int LAYERS_27B = 46;

  private Gemma2() {}

  static Value forward(Decoder d) {
    var full =
        Attention.of(d.rope(Layout.NEOX), Gemma3.attentionScale(d, LAYERS_27B))
            .withSoftCap(d.keys().cap("attn_logit_softcapping", 50));
    var local = full.withWindow(d.slidingWindow(4096));
    Value logits = Gemma3.forward(d, full, local, 2);
    return d.softCap(logits, d.keys().cap("final_logit_softcapping", 30));
  }
}
