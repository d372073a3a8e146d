#version 450
// Activations as int8 with a float32 scale for each block of 32: d = largest / 127, q = nearest(x / d).
// An invocation a block. Grid: x * z = ceil(n * cols / 32 / workgroup size); cols is a multiple of 32.
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats x;      // [blocks, 32]
  Quads quants;  // [blocks, 32] int8
  Floats scales; // [blocks]
  uint blocks;
};

void main() {
  uint b = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (b >= blocks) return;
  float largest = 0;
  for (uint i = 0; i < 32; i++) largest = max(largest, abs(x.v[32 * b + i]));
  float d = largest / 127.0;
  float inverse = d > 0 ? 1.0 / d : 0.0;
  for (uint h = 0; h < 2; h++) {
    uvec4 words = uvec4(0);
    for (uint i = 0; i < 16; i++) {
      int q = int(roundEven(clamp(x.v[32 * b + 16 * h + i] * inverse, -127.0, 127.0)));
      words[i / 4] |= (uint(q) & 0xFFu) << (8 * (i % 4));
    }
    quants.v[2 * b + h] = words;
  }
  scales.v[b] = d;
}
