#version 450
// Whole-row norms (include/norm.glsl) whose result only products read, in the form that these want:
// FORM 1: int8 blocks (include/quantized.glsl); 2: float16 divided by a power of two of the row
// in the form HALF (include/half.glsl). Grid: x * z = rows.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/chain.glsl"
layout(constant_id = 1) const uint COLS = 256;
layout(constant_id = 2) const uint NORM = 1;
layout(constant_id = 3) const uint FORM = 1;
layout(constant_id = 4) const uint HALF = 0;
const uint NORM_GROUP = gl_WorkGroupSize.x;
const bool ANY_GROUP = FORM == 1; // 0.6 us more, for products that have norms inside for one token
#include "include/norm.glsl"
#include "include/quantized.glsl"
#include "include/half.glsl"

layout(push_constant, scalar) uniform Push {
  LiveVecs a;
  LiveVecs b;
  Vecs weight; // [COLS]
  Vecs post;   // [COLS]
  LiveVecs sum;
  LiveWords quants; // or float16
  LivePairs blocks; // or scales of rows
  uint n;
  float eps;
  float scale;
  Link link;
};

void main() {
  uint row = workgroup();
  if (row >= n) {
    finishLink(link);
    return;
  }
  awaitLink(link);
  vec4 normed[MAX_RUNS];
  normalize(normed, a, b, weight, post, sum, row, true, eps, scale);
  uint id = invocation();
  if (FORM == 1) {
    for (uint j = 0; j < RUNS; j++) {
      uint i = id + j * NORM_GROUP;
      uvec2 block;
      uint word = quantizeRun(normed[j], block);
      if (i < COLS / 4) {
        quants.v[row * (COLS / 4) + i] = word;
        if (i % 8 == 0) blocks.v[row * (COLS / 32) + i / 8] = block;
      }
    }
  } else {
    float largest = 0;
    for (uint j = 0; j < RUNS; j++) {
      vec4 y = abs(normed[j]);
      largest = max(largest, max(max(y.x, y.y), max(y.z, y.w)));
    }
    float power = powerOf(workgroupMax(largest));
    if (id == 0) LiveFloats(blocks).v[row] = power;
    for (uint j = 0; j < RUNS; j++) {
      uint i = id + j * NORM_GROUP;
      if (i < COLS / 4) storeHalf4(LivePairs(quants), row, COLS, i, normed[j] / power, HALF);
    }
  }
  finishLink(link);
}
