#version 450
// out[t] = table[token[t]] * scale. Grid: x * z = tokens.
#include "include/types.glsl"
#include "include/weights.glsl"

layout(push_constant, scalar) uniform Push {
  Words tokens; // [n]
  Floats result; // [n, cols]
  Weights table; // [vocabulary, cols]
  uint cols;
  uint n;
  float scale;
};

void main() {
  uint t = workgroup();
  if (t >= n) return;
  for (uint i = 4 * gl_LocalInvocationID.x; i < cols; i += 4 * gl_WorkGroupSize.x) {
    vec4 y = weights4(table, tokens.v[t], cols, i) * scale;
    for (uint e = 0; e < 4 && i + e < cols; e++) result.v[t * cols + i + e] = y[e];
  }
}
