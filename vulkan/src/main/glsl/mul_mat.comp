#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for many tokens t: tiles of
// 64 rows x 64 tokens, 32 columns at a time through shared memory; each of the 256 invocations sums
// 4 x 4. Grid: x * z = ceil(rows / 64), y = ceil(n / 64). Sums in float32.
#include "include/types.glsl"
#include "include/functions.glsl"
#include "include/weights.glsl"
#include "include/product.glsl"

const uint TILE = 64;
const uint STEP = 32;

shared float ws[STEP * TILE];
shared float us[PRODUCT > 0 ? STEP * TILE : 1];
shared float xs[STEP * TILE];

void main() {
  uint row0 = workgroup() * TILE;
  uint t0 = gl_WorkGroupID.y * TILE;
  if (row0 >= rows) return;
  uint id = gl_LocalInvocationID.x;
  uint r4 = 4 * (id % 16);
  uint t4 = 4 * (id / 16);
  vec4 sum[4];
  vec4 sumUp[4];
  for (uint j = 0; j < 4; j++) {
    sum[j] = vec4(0);
    sumUp[j] = vec4(0);
  }
  for (uint c = 0; c < cols; c += STEP) {
    for (uint k = id; k < STEP / 4 * TILE; k += 256) {
      uint line = k / (STEP / 4);
      uint i = 4 * (k % (STEP / 4));
      uint row = min(row0 + line, rows - 1);
      vec4 a = weights4(w, row, cols, c + i);
      vec4 b = floats4(x, min(t0 + line, n - 1) * xWidth, cols, c + i);
      for (uint e = 0; e < 4; e++) {
        ws[(i + e) * TILE + line] = a[e];
        xs[(i + e) * TILE + line] = b[e];
      }
      if (PRODUCT > 0) {
        vec4 u = weights4(up, row, cols, c + i);
        for (uint e = 0; e < 4; e++) us[(i + e) * TILE + line] = u[e];
      }
    }
    barrier();
    for (uint i = 0; i < STEP; i++) {
      uint at = i * TILE;
      vec4 a = vec4(ws[at + r4], ws[at + r4 + 1], ws[at + r4 + 2], ws[at + r4 + 3]);
      vec4 b = vec4(xs[at + t4], xs[at + t4 + 1], xs[at + t4 + 2], xs[at + t4 + 3]);
      for (uint j = 0; j < 4; j++) sum[j] += a * b[j];
      if (PRODUCT > 0) {
        vec4 u = vec4(us[at + r4], us[at + r4 + 1], us[at + r4 + 2], us[at + r4 + 3]);
        for (uint j = 0; j < 4; j++) sumUp[j] += u * b[j];
      }
    }
    barrier();
  }
  for (uint j = 0; j < 4; j++) {
    for (uint e = 0; e < 4; e++) {
      if (t0 + t4 + j < n && row0 + r4 + e < rows) {
        store(t0 + t4 + j, row0 + r4 + e, 0, sum[j][e], sumUp[j][e]);
      }
    }
  }
}
