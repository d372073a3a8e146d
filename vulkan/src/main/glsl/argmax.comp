#version 450
// out[o] = index of the largest element of x[o], the lowest among equals. Grid: x * z = outputs.
#include "include/types.glsl"
#include "include/largest.glsl"

layout(push_constant, scalar) uniform Push {
  Floats x;     // [outputs, width]
  Words result; // [outputs]
  uint outputs;
  uint width;
};

void main() {
  uint o = workgroup();
  if (o >= outputs) return;
  float best = 0;
  uint index = NONE;
  for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) {
    float value = x.v[o * width + i];
    if (larger(value, i, best, index)) {
      best = value;
      index = i;
    }
  }
  uint whole = workgroupLargest(best, index);
  if (gl_LocalInvocationID.x == 0) result.v[o] = whole;
}
