#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for few tokens t, in integer
// dot products of x as int8 (quantize_x.comp); experts as in mul_mat_vec.comp. A lane takes 16-byte
// units of ROWS rows at a time, so that ROWS loads are in flight before the first is needed.
// Grid: x * z = ceil(rows / ROWS), y = ceil(n / TOKENS). Sums in int32 within a half unit, else float32.
#extension GL_EXT_integer_dot_product : require
#include "include/types.glsl"
#include "include/functions.glsl"
#include "include/weights.glsl"
#include "include/product.glsl"

const uint ROWS = 4;
const uint MAX_SUBGROUPS = 32;

shared float parts[MAX_SUBGROUPS][ROWS][TOKENS];
shared float partsUp[PRODUCT > 0 ? MAX_SUBGROUPS : 1][ROWS][TOKENS];

int dot16(uvec4 q, uvec4 x) {
  return dotPacked4x8EXT(int(q.x), int(x.x)) + dotPacked4x8EXT(int(q.y), int(x.y))
      + dotPacked4x8EXT(int(q.z), int(x.z)) + dotPacked4x8EXT(int(q.w), int(x.w));
}

// A unit of weights times the unit (xa, xb) of x, whose sums are n.
float dotUnit(uvec4 qa, uvec4 qb, vec2 sa, vec2 sb, uvec4 xa, uvec4 xb, vec2 d, ivec2 n) {
  int a = dot16(qa, xa) - UNIT_OFFSET * n.x;
  int b = dot16(qb, xb) - UNIT_OFFSET * n.y;
  return d.x * (sa.x * float(a) - sa.y * float(n.x)) + d.y * (sb.x * float(b) - sb.y * float(n.y));
}

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
  uint blocks = cols / BLOCK;
  const uvec4 ones = uvec4(0x01010101u);
  for (uint i = gl_LocalInvocationID.x; i < blocks * UNITS; i += gl_WorkGroupSize.x) {
    uint b = i / UNITS;
    uint u = i % UNITS;
    uvec4 qa[ROWS], qb[ROWS], ua[ROWS], ub[ROWS];
    vec2 sa[ROWS], sb[ROWS], va[ROWS], vb[ROWS];
    for (uint r = 0; r < ROWS; r++) {
      uint at = (firstRow + min(row0 + r, rows - 1)) * blocks + b;
      unit(w, at, u, qa[r], qb[r], sa[r], sb[r]);
      if (PRODUCT > 0) unit(up, at, u, ua[r], ub[r], va[r], vb[r]);
    }
    for (uint t = 0; t < TOKENS; t++) {
      uint at = origin(min(t0 + t, n - 1)).x + b * BLOCK;
      uvec4 xa = Quads(x).v[(at + UNIT_A(u)) / 16];
      uvec4 xb = Quads(x).v[(at + UNIT_B(u)) / 16];
      vec2 d = vec2(xScales.v[(at + UNIT_A(u)) / 32], xScales.v[(at + UNIT_B(u)) / 32]);
      ivec2 n = ivec2(dot16(ones, xa), dot16(ones, xb));
      for (uint r = 0; r < ROWS; r++) {
        sum[r][t] += dotUnit(qa[r], qb[r], sa[r], sb[r], xa, xb, d, n);
        if (PRODUCT > 0) sumUp[r][t] += dotUnit(ua[r], ub[r], va[r], vb[r], xa, xb, d, n);
      }
    }
  }
  for (uint r = 0; r < ROWS; r++) {
    for (uint t = 0; t < TOKENS; t++) {
      float part = subgroupAdd(sum[r][t]);
      float partUp = PRODUCT > 0 ? subgroupAdd(sumUp[r][t]) : 0;
      if (gl_SubgroupInvocationID == 0) {
        parts[gl_SubgroupID][r][t] = part;
        if (PRODUCT > 0) partsUp[gl_SubgroupID][r][t] = partUp;
      }
    }
  }
  barrier();
  uint id = gl_LocalInvocationID.x;
  uint r = id % ROWS;
  uint t = id / ROWS;
  if (t < TOKENS && t0 + t < n && row0 + r < rows) {
    float whole = 0;
    float wholeUp = 0;
    for (uint s = 0; s < gl_NumSubgroups; s++) {
      whole += parts[s][r][t];
      if (PRODUCT > 0) wholeUp += partsUp[s][r][t];
    }
    store(t0 + t, row0 + r, firstRow, whole, wholeUp);
  }
}
