#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for few tokens t; also the
// products of a mixture of experts, where t counts pairs of token and expert.
// Grid: x * z = ceil(rows / ROWS), y = ceil(n / TOKENS); with experts TOKENS is 1. Sums in float32.
#include "include/types.glsl"
#include "include/reduce.glsl"
#include "include/functions.glsl"
#include "include/weights.glsl"
#include "include/product.glsl"

const uint ROWS = 2;

void main() {
  uint row0 = workgroup() * ROWS;
  uint t0 = gl_WorkGroupID.y * TOKENS;
  if (row0 >= rows) return;
  float sum[ROWS][TOKENS];
  float sumUp[ROWS][TOKENS];
  for (uint r = 0; r < ROWS; r++) {
    for (uint t = 0; t < TOKENS; t++) {
      sum[r][t] = 0;
      sumUp[r][t] = 0;
    }
  }
  uint firstRow = origin(t0).y;
  for (uint i = 4 * gl_LocalInvocationID.x; i < cols; i += 4 * gl_WorkGroupSize.x) {
    vec4 w4[ROWS];
    vec4 up4[ROWS];
    for (uint r = 0; r < ROWS; r++) {
      uint row = firstRow + min(row0 + r, rows - 1);
      w4[r] = weights4(w, row, cols, i);
      if (PRODUCT > 0) up4[r] = weights4(up, row, cols, i);
    }
    for (uint t = 0; t < TOKENS; t++) {
      vec4 x4 = floats4(x, origin(min(t0 + t, n - 1)).x, cols, i);
      for (uint r = 0; r < ROWS; r++) {
        sum[r][t] += dot(w4[r], x4);
        if (PRODUCT > 0) sumUp[r][t] += dot(up4[r], x4);
      }
    }
  }
  for (uint t = 0; t < TOKENS; t++) {
    for (uint r = 0; r < ROWS; r++) {
      float whole = workgroupSum(sum[r][t]);
      float wholeUp = PRODUCT > 0 ? workgroupSum(sumUp[r][t]) : 0;
      if (gl_LocalInvocationID.x == 0 && t0 + t < n && row0 + r < rows) {
        store(t0 + t, row0 + r, firstRow, whole, wholeUp);
      }
    }
  }
}
