#version 450
// Activations as int8 (include/quantized.glsl). Grid: x * z = ceil(n * cols / 4 / workgroup size).
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/quantized.glsl"

layout(push_constant, scalar) uniform Push {
  Vecs x;       // [runs, 4]
  Words quants; // [runs]
  Pairs blocks; // [runs / 8]
  uint runs;    // of 4 elements; a multiple of 8
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + invocation();
  vec4 y = i < runs ? x.v[i] : vec4(0);
  uvec2 block;
  uint word = quantizeRun(y, block);
  if (i < runs) {
    quants.v[i] = word;
    if (i % 8 == 0) blocks.v[i / 8] = block;
  }
}
