#version 450
// out[o] = x[outputRow[o]]. Grid: x * z = ceil(outputs * width / workgroup size).
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats x;         // [n, width]
  Floats result;    // [outputs, width]
  Words outputRows; // [outputs]
  uint outputs;
  uint width;
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i < outputs * width) result.v[i] = x.v[outputRows.v[i / width] * width + i % width];
}
