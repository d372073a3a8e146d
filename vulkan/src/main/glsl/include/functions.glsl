// tanh(x) to a few units in the last place: Vulkan promises little for it.
float tanhOf(float x) {
  float a = abs(x);
  if (a < 0.625) {
    float z = x * x;
    float p = -5.70498872745e-3;
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    return p * z * x + x;
  }
  float t = a > 15.0 ? 1.0 : 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
  return x < 0.0 ? -t : t;
}

// Activation a of graph.Activation, in its order: SILU, GELU_TANH, SWIGLU_OAI.
float activate(uint a, float gate, float up) {
  if (a == 0) {
    precise float y = gate / (1.0 + exp(-gate)) * up;
    return y;
  }
  if (a == 1) {
    float inner = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate);
    return 0.5 * gate * (1.0 + tanhOf(inner)) * up;
  }
  float g = min(gate, 7.0);
  return g / (1.0 + exp(-1.702 * g)) * (clamp(up, -7.0, 7.0) + 1.0);
}
