package dev.ridgeline.graph;

/** How a gate and an up projection become one row: {@code act(gate) * up}, element by element. */
public enum Activation {
  /** {@code g / (1 + exp(-g)) * u} (SwiGLU; Shazeer 2020). */
  SILU,
  /** {@code 0.5 g (1 + tanh(sqrt(2/pi) (g + 0.044715 g^3))) * u} (GeGLU, tanh form; Gemma). */
  GELU_TANH,
  /**
   * gpt-oss: {@code g' = min(g, 7)}, {@code u' = clamp(u, -7, 7)}, {@code g' / (1 + exp(-1.702 g'))
   * * (u' + 1)}.
   */
  SWIGLU_OAI
}
