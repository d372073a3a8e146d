#version 450
// out = s / sqrt(mean(s^2) + eps) * weight over groups of width elements, where s = a, or with ADD
// s = a + b * scale, which is stored too. Grid: x * z = groups. Sums in float32.
#include "include/types.glsl"
#include "include/reduce.glsl"

layout(constant_id = 1) const uint ADD = 0;

layout(push_constant, scalar) uniform Push {
  Floats a;      // [groups, width]
  Floats b;      // like a
  Floats weight; // [width]
  Floats sum;    // like a
  Floats result; // like a
  uint groups;
  uint width;
  float eps;
  float scale;
};

void main() {
  uint g = workgroup();
  if (g >= groups) return;
  float squares = 0;
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) {
    float s = a.v[g * width + i];
    if (ADD > 0) {
      s += b.v[g * width + i] * scale;
      sum.v[g * width + i] = s;
    }
    squares += s * s;
  }
  float factor = 1.0 / sqrt(workgroupSum(squares) / float(width) + eps);
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) {
    float s = a.v[g * width + i];
    if (ADD > 0) s += b.v[g * width + i] * scale;
    result.v[g * width + i] = s * factor * weight.v[i];
  }
}
