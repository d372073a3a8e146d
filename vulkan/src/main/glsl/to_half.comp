#version 450
// Rows of float32 as float16 (include/half.glsl). Each of PARTS workgroups looks for the largest element of a whole
// row, and converts its part. Grid: x * z = rows * PARTS.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/reduce.glsl"
#include "include/chain.glsl"
#include "include/half.glsl"
layout(constant_id = 1) const uint FORM = 0; // of include/half.glsl
layout(constant_id = 2) const uint PARTS = 1;

layout(push_constant, scalar) uniform Push {
  LiveVecs x;    // [n, cols]
  LivePairs result; // [n, cols], or [n, 2 cols] in two terms, or pieces
  LiveFloats powers; // [n]
  uint n;
  uint cols; // a multiple of 4
  Link link;
};

void main() {
  uint row = workgroup() / PARTS;
  uint part = workgroup() % PARTS;
  if (row >= n) {
    finishLink(link);
    return;
  }
  awaitLink(link);
  uint id = invocation();
  float largest = 0;
  for (uint i = id; i < cols / 4; i += gl_WorkGroupSize.x) {
    vec4 y = abs(x.v[row * (cols / 4) + i]);
    largest = max(largest, max(max(y.x, y.y), max(y.z, y.w)));
  }
  float power = powerOf(workgroupMax(largest));
  if (id == 0 && part == 0) powers.v[row] = power;
  for (uint i = part * gl_WorkGroupSize.x + id; i < cols / 4; i += PARTS * gl_WorkGroupSize.x) {
    storeHalf4(result, row, cols, i, x.v[row * (cols / 4) + i] / power, FORM);
  }
  finishLink(link);
}
