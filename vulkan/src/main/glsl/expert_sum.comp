#version 450
// out[t, i] = sum_j w_j[t] x[t, j, i]. Grid: x * z = ceil(n * width / workgroup size).
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats x;      // [n, k, width]
  Floats route;  // [n, 2 k]
  Floats result; // [n, width]
  uint n;
  uint width;
  uint k;
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= n * width) return;
  uint t = i / width;
  float sum = 0;
  for (uint j = 0; j < k; j++) {
    sum += route.v[2 * k * t + k + j] * x.v[(t * k + j) * width + i % width];
  }
  result.v[i] = sum;
}
