#version 450
// Weights as float16, 32 elements (a unit) an invocation, for products of many tokens.
// Grid: x * z = ceil(rows * cols / 32 / workgroup size).
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

void half16(uint at, uvec4 q, vec2 s) {
  [[unroll]] for (uint h = 0; h < 2; h++) {
    vec4 a = (signedBytes4(q[2 * h]) - UNIT_OFFSET) * s.x - s.y;
    vec4 b = (signedBytes4(q[2 * h + 1]) - UNIT_OFFSET) * s.x - s.y;
    result.v[at / 8 + h] = uvec4(packHalf2x16(a.xy), packHalf2x16(a.zw), packHalf2x16(b.xy), packHalf2x16(b.zw));
  }
}

void main() {
#ifdef UNIT_TABLE
  fillTable();
#endif
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= units) return;
  Weights planes = Weights(Words(w), Words(further(w, plane1)), Words(further(w, plane2)), Words(further(w, plane3)));
  uvec4 qa, qb;
  vec2 sa, sb;
  uint u = i % UNITS;
  unit(planes, first + i / UNITS, u, qa, qb, sa, sb);
  uint at = i / UNITS * BLOCK;
  half16(at + UNIT_A(u), qa, sa);
  half16(at + UNIT_B(u), qb, sb);
}
