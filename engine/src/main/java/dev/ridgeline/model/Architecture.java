package dev.ridgeline.model;

import dev.ridgeline.graph.Value;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What an architecture file provides: the forward pass of a family of models. */
@FunctionalInterface
interface Architecture {
  /** Every architecture, by the name that files give in {@code general.architecture}. */
  Map<String, Architecture> KNOWN = known();

  /** Adds the forward pass to {@code decoder}'s graph and returns the logits. */
  Value forward(Decoder decoder);

  private static Map<String, Architecture> known() {
    var map = new LinkedHashMap<String, Architecture>();
    map.put("llama", Llama::forward);
    map.put("qwen2", Qwen2::forward);
    map.put("qwen3", Qwen3::forward);
    map.put("qwen3moe", Qwen3Moe::forward);
    map.put("gemma2", Gemma2::forward);
    map.put("gemma3", Gemma3::forward);
    map.put("phi3", Phi3::forward);
    map.put("granite", Granite::forward);
    map.put("gpt-oss", GptOss::forward);
    return Collections.unmodifiableMap(map);
  }
}
