package dev.ridgeline.model;

import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rotary position embedding as a file describes it: the keys {@code rope.*}, and the tensors
 * {@code rope_freqs.weight} (Llama 3.1 and later) or {@code rope_factors_long.weight} and {@code
 * rope_factors_short.weight} (LongRoPE: Ding et al. 2024), which divide each pair's frequency.
 *
 * @param factors one divisor for each pair, or null
 */
record Rope(RopeParams params, @Nullable Weight factors) {
  /**
   * @param headLength elements of a head
   * @param trainedContext tokens the model was trained for
   * @param context tokens the model will be run with; LongRoPE chooses its factors by it
   */
  static Rope read(
      Keys keys, Tensors tensors, Layout layout, int headLength, int trainedContext, int context) {
    int dims = keys.count("rope.dimension_count", headLength, headLength);
    if (dims % 2 != 0) {
      throw keys.refuse("rope.dimension_count", dims, "an even number");
    }
    String scaling = keys.string("rope.scaling.type", "linear");
    if (!List.of("none", "linear", "yarn", "longrope").contains(scaling)) {
      throw keys.refuse("rope.scaling.type", "'" + scaling + "'", "none, linear, yarn or longrope");
    }
    int originalContext =
        keys.count("rope.scaling.original_context_length", Integer.MAX_VALUE, trainedContext);
    // Files older than rope.scaling.* carry rope.scale_linear; 0 means none in both.
    float factor =
        keys.positiveOrNone("rope.scaling.factor", keys.positiveOrNone("rope.scale_linear", 1));
    var params =
        new RopeParams(
            layout,
            headLength,
            dims,
            keys.positive("rope.freq_base", 10000),
            scaling.equals("none") ? 1 : 1 / factor,
            scaling.equals("yarn") ? 1 : 0,
            keys.positive("rope.scaling.attn_factor", 1),
            keys.positive("rope.scaling.yarn_beta_fast", 32),
            keys.positive("rope.scaling.yarn_beta_slow", 1),
            originalContext);
    return new Rope(params, readFactors(tensors, dims / 2, context > originalContext));
  }

  private static @Nullable Weight readFactors(Tensors tensors, int pairs, boolean longContext) {
    @Nullable Weight freqs = tensors.optionalVector("rope_freqs.weight", pairs);
    @Nullable Weight longs = tensors.optionalVector("rope_factors_long.weight", pairs);
    @Nullable Weight shorts = tensors.optionalVector("rope_factors_short.weight", pairs);
    return freqs != null ? freqs : longContext ? longs : shorts;
  }

  /** The same rotation with another base and no scaling: Gemma 3's layers with a window. */
  Rope unscaled(float freqBase) {
    return new Rope(
        RopeParams.plain(params.layout(), params.headDim(), params.dims(), freqBase), null);
  }
}
