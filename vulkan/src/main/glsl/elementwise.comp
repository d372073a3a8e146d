#version 450
// MODE 0: out = a + b * factor; 1: out = a * factor; 2: out = factor * tanh(a / factor);
// 3 + activation: out = act(a) * b. Grid: x * z = ceil(count / workgroup size).
#include "include/types.glsl"
#include "include/functions.glsl"

layout(constant_id = 1) const uint MODE = 0;

layout(push_constant, scalar) uniform Push {
  Floats a;
  Floats b;
  Floats result;
  uint count;
  float factor;
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= count) return;
  float y;
  if (MODE == 0) y = a.v[i] + b.v[i] * factor;
  else if (MODE == 1) y = a.v[i] * factor;
  else if (MODE == 2) y = factor * tanhOf(a.v[i] / factor);
  else y = activate(MODE - 3, a.v[i], b.v[i]);
  result.v[i] = y;
}
