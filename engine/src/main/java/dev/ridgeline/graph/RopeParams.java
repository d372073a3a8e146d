package dev.ridgeline.graph;

/**
 * Rotary position embedding (Su et al. 2021) with the scalings that GGUF files ask for.
 *
 * <p>Pair {@code i} of the first {@code dims} elements of each head, at position {@code p}, turns
 * by {@code theta}: {@code (a, b) -> (a cos - b sin, a sin + b cos)}. Before scaling, {@code e = p
 * * freqBase^(-2i/dims) / factor[i]}, where {@code factor} is the op's optional frequency-factor
 * vector (1 without it). Then {@code theta = e * freqScale} (linear scaling, or none with 1), and
 * cosine and sine are multiplied by {@code attnFactor}.
 *
 * <p>YaRN (Peng et al. 2023), {@code extFactor > 0}: {@code theta = e * freqScale * (1 - mix) + e *
 * mix}, {@code mix = extFactor * (1 - clamp((i - low) / max(0.001, high - low), 0, 1))}, {@code low
 * = max(0, floor(corr(betaFast)))}, {@code high = min(dims - 1, ceil(corr(betaSlow)))}, {@code
 * corr(b) = dims * ln(originalContext / (2 pi b)) / (2 ln freqBase)}; cosine and sine are
 * multiplied by {@code attnFactor * (1 + 0.1 ln(1 / freqScale))}.
 *
 * <p>Source: ggml's {@code ggml_rope_ext}.
 *
 * @param layout which two elements make a pair
 * @param headDim elements of a head
 * @param dims leading elements of a head that are rotated; the rest pass unchanged
 */
public record RopeParams(
    Layout layout,
    int headDim,
    int dims,
    float freqBase,
    float freqScale,
    float extFactor,
    float attnFactor,
    float betaFast,
    float betaSlow,
    int originalContext) {
  /** Which two elements make a pair. */
  public enum Layout {
    /** Elements {@code 2i} and {@code 2i + 1} (ggml's NORM; Llama). */
    NORM,
    /** Elements {@code i} and {@code i + dims/2} (GPT-NeoX; Qwen, Gemma, Phi). */
    NEOX
  }

  /** Rejects odd or oversized rotations. */
  public RopeParams {
    if (dims <= 0 || dims % 2 != 0 || dims > headDim) {
      throw new IllegalArgumentException("rope over " + dims + " of " + headDim + " elements");
    }
    if (!(freqBase > 0) || !(freqScale > 0)) {
      throw new IllegalArgumentException("rope base " + freqBase + ", scale " + freqScale);
    }
  }

  /** Plain RoPE: no scaling. */
  public static RopeParams plain(Layout layout, int headDim, int dims, float freqBase) {
    return new RopeParams(layout, headDim, dims, freqBase, 1, 0, 1, 32, 1, 0);
  }

  /**
   * Radians a position by which pair {@code pair} turns: {@code theta' / p}.
   *
   * @param factor the pair's frequency factor, 1 without one
   */
  public double frequency(int pair, double factor) {
    double f = Math.pow(freqBase, -2.0 * pair / dims) / factor;
    if (extFactor == 0) {
      return f * freqScale;
    }
    double low = Math.max(0, Math.floor(correctionDim(betaFast)));
    double high = Math.min(dims - 1, Math.ceil(correctionDim(betaSlow)));
    double ramp = 1 - Math.clamp((pair - low) / Math.max(0.001, high - low), 0, 1);
    double mix = ramp * extFactor;
    return f * freqScale * (1 - mix) + f * mix;
  }

  private double correctionDim(double rotations) {
    return dims * Math.log(originalContext / (2 * Math.PI * rotations)) / (2 * Math.log(freqBase));
  }

  /** What cosine and sine are multiplied by. */
  public double magnitude() {
    return extFactor == 0 ? attnFactor : attnFactor * (1 + 0.1 * Math.log(1.0 / freqScale));
  }
}
