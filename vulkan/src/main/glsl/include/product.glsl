// What matrix-vector and matrix-matrix products share: constants, parameters, the epilogue.
layout(constant_id = 1) const uint TOKENS = 1;       // tokens of a workgroup (matrix-vector)
layout(constant_id = 2) const uint PRODUCT = 0;      // 0: one product; 1 + a: gated by activation a
layout(constant_id = 3) const uint HAS_BIAS = 0;
layout(constant_id = 4) const uint EXPERTS_USED = 0; // k of a mixture of experts, 0 for one matrix

layout(push_constant, scalar) uniform Push {
  Floats x;      // [n, xWidth]
  Floats result; // [n, rows], or [n, k * rows] of experts
  Floats bias;   // [rows], or [experts, rows]
  Floats route;  // [n, 2 k]
  Weights w;     // [rows, cols], or [experts, rows, cols]
  Weights up;    // like w, only if gated
  uint cols;
  uint rows;
  uint n;        // tokens, or tokens * k of experts
  uint xWidth;
  Floats xScales; // mul_mat_vec_q.comp: x is int8 [n, xWidth], xScales [n, xWidth / 32]
};

// First element of x, and first row of the weights, of token (or token and expert) t.
uvec2 origin(uint t) {
  if (EXPERTS_USED == 0) return uvec2(t * xWidth, 0);
  uint token = t / EXPERTS_USED;
  uint j = t % EXPERTS_USED;
  uint expert = uint(route.v[2 * EXPERTS_USED * token + j]);
  return uvec2(token * xWidth + (xWidth == cols ? 0 : j * cols), expert * rows);
}

void store(uint t, uint row, uint firstRow, float sum, float sumUp) {
  float y = PRODUCT > 0 ? activate(PRODUCT - 1, sum, sumUp) : sum;
  if (HAS_BIAS > 0) y += bias.v[firstRow + row];
  result.v[t * rows + row] = y;
}
