package dev.ridgeline.reference;

import dev.ridgeline.graph.Activation;

/** {@link Activation} of one element. */
final class Activations {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

  private Activations() {}

  static double apply(Activation activation, double gate, double up) {
    return switch (activation) {
      case SILU -> gate / (1 + Math.exp(-gate)) * up;
      case GELU_TANH -> {
        double inner = SQRT_2_OVER_PI * (gate + 0.044715 * gate * gate * gate);
        yield 0.5 * gate * (1 + Math.tanh(inner)) * up;
      }
      case SWIGLU_OAI -> {
        double g = Math.min(gate, 7);
        double u = Math.clamp(up, -7, 7);
        yield g / (1 + Math.exp(-1.702 * g)) * (u + 1);
      }
    };
  }
}
