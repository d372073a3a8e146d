#version 450
// out[t] = table[token[t]] * scale. A token -1 - o is what output o of the step before chose.
// Grid: x * z = tokens.
#include "include/types.glsl"
#include "include/weights.glsl"

layout(push_constant, scalar) uniform Push {
  Words tokens; // [n]
  Words before; // [outputs of the step before]
  Floats result; // [n, cols]
  Weights table; // [vocabulary, cols]
  uint cols;
  uint n;
  uint rows;
  float scale;
};

void main() {
  uint t = workgroup();
  if (t >= n) return;
  uint token = tokens.v[t];
  // A choice is none where a logit is not a number: the host drops the step then.
  if (token >= 0x80000000u) token = min(before.v[~token], rows - 1);
  for (uint i = 4 * gl_LocalInvocationID.x; i < cols; i += 4 * gl_WorkGroupSize.x) {
    vec4 y = weights4(table, token, cols, i) * scale;
    for (uint e = 0; e < 4 && i + e < cols; e++) result.v[t * cols + i + e] = y[e];
  }
}
