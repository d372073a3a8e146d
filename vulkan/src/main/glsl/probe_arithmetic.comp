#version 450
// 32 independent chains' worth of float32 multiply-adds a round and invocation, to measure how fast
// they can be; the result is stored only so that nothing is left out. Grid: x.
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats result; // [1]
  uint rounds;
};

void main() {
  float f = float(gl_LocalInvocationID.x) * 1e-9 + 0.999;
  vec4 a[8];
  for (uint j = 0; j < 8; j++) a[j] = vec4(j, j + 1, j + 2, j + 3) * f;
  for (uint i = 0; i < rounds; i++) {
    for (uint j = 0; j < 8; j++) a[j] = a[j] * f + 1e-3;
  }
  vec4 sum = vec4(0);
  for (uint j = 0; j < 8; j++) sum += a[j];
  if (sum.x + sum.y + sum.z + sum.w == 12345.678) result.v[0] = sum.x;
}
