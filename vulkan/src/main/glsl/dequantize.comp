#version 450
// Weights as float16, half a unit (16 elements) an invocation, for products of many tokens: two invocations beside
// each other write 32 bytes at once, a sector of memory; whole units took twice as long on an H200.
// Grid: x * z = ceil(rows * cols / 16 / workgroup size).
#include "include/types.glsl"
#define WITH_UNITS
#include "include/weights.glsl"

layout(push_constant, scalar) uniform Push {
  Quads result; // [rows, cols] float16
  uvec2 w;      // plane 0
  uint plane1;  // in units of 16 bytes from plane 0
  uint plane2;
  uint plane3;
  uint first; // first block
  uint units;
};

vec4 quants4(uint q) {
#ifdef UNIT_SIGNED
  return signedBytes4(q) - UNIT_OFFSET;
#else
  return bytes4(q) - UNIT_OFFSET;
#endif
}

void half8(uint at, uvec2 q, vec2 s) {
  vec4 a = quants4(q.x) * s.x - s.y;
  vec4 b = quants4(q.y) * s.x - s.y;
  result.v[at / 8] = uvec4(packHalf2x16(a.xy), packHalf2x16(a.zw), packHalf2x16(b.xy), packHalf2x16(b.zw));
}

void main() {
#ifdef UNIT_TABLE
  fillTable();
#endif
  uint part = gl_LocalInvocationID.x % 2;
  uint i = (workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) / 2;
  if (i >= units) return;
  Weights planes = Weights(Words(w), Words(further(w, plane1)), Words(further(w, plane2)), Words(further(w, plane3)));
  uvec4 qa, qb;
  vec2 sa, sb;
  unit(planes, first + i / UNITS, i % UNITS, qa, qb, sa, sb);
  uint at = 32 * i + 8 * part;
  half8(at, part == 0 ? qa.xy : qa.zw, sa);
  half8(at + 16, part == 0 ? qb.xy : qb.zw, sb);
}
