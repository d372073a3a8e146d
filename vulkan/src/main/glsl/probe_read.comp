#version 450
// Reads count 16-byte words once and sums them, to measure how fast memory can be read; the result is
// stored only so that nothing is left out. Grid: x; each workgroup takes every x-th run of words.
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Quads data;
  Words result; // [1]
  uint count;
};

void main() {
  uint step = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  uvec4 sum = uvec4(0);
  for (uint i = gl_GlobalInvocationID.x; i < count; i += step * 4) {
    for (uint j = 0; j < 4; j++) {
      uint at = i + j * step;
      sum ^= at < count ? data.v[at] : uvec4(0);
    }
  }
  if ((sum.x ^ sum.y ^ sum.z ^ sum.w) == 0x9E3779B9u) result.v[0] = sum.x;
}
