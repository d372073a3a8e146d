// The weight format chosen by TYPE_x. A tensor lies on the device as planes: each plane holds one
// byte range of all blocks, so that every field is aligned to its own size (see WeightLayout). With
// WITH_UNITS, formats that look values up bring a table, which fillTable() fills.
// Quantized formats also have UNITS units of 32 elements in a block, for integer dot products: packed int8 qa of the
// first 16 and qb of the others, and the scale and minimum of each half: x = scale * (q - UNIT_OFFSET) - minimum.
// q is signed with UNIT_SIGNED; without UNIT_MINIMUM minimums are 0.
// Where qa are the lower and qb the upper nibbles of rawUnit().q, UNIT_NIBBLES are the bits of a byte to be flipped first.
// rawUnit() loads what unitOf() takes apart: as it lies in memory, which takes less registers on the way.
// Unit u of block b lies PLANE_BYTES * b + UNIT_BYTES * u from the beginning of each plane.
// Formats with blocks of 256 whose units the device keeps in its own order (regroup.comp) also have products() of a
// unit and of x, with their scales and minimums but those of the block: UNIT_POWER times what they are.
struct Weights { Words p0; Words p1; Words p2; Words p3; };

#if defined(TYPE_F32)
#include "include/f32.glsl"
#elif defined(TYPE_F16)
#include "include/f16.glsl"
#elif defined(TYPE_BF16)
#include "include/bf16.glsl"
#elif defined(TYPE_Q4_0)
#include "include/q4_0.glsl"
#elif defined(TYPE_Q4_1)
#include "include/q4_1.glsl"
#elif defined(TYPE_Q5_0)
#include "include/q5_0.glsl"
#elif defined(TYPE_Q5_1)
#include "include/q5_1.glsl"
#elif defined(TYPE_Q8_0)
#include "include/q8_0.glsl"
#elif defined(TYPE_Q2_K)
#include "include/q2_k.glsl"
#elif defined(TYPE_Q3_K)
#include "include/q3_k.glsl"
#elif defined(TYPE_Q4_K)
#include "include/q4_k.glsl"
#elif defined(TYPE_Q5_K)
#include "include/q5_k.glsl"
#elif defined(TYPE_Q6_K)
#include "include/q6_k.glsl"
#elif defined(TYPE_IQ4_NL)
#include "include/iq4_nl.glsl"
#elif defined(TYPE_IQ4_XS)
#include "include/iq4_xs.glsl"
#elif defined(TYPE_MXFP4)
#include "include/mxfp4.glsl"
#endif
#if defined(UNITS) && !defined(UNIT_OFFSET)
#define UNIT_OFFSET 0
#endif

// Elements i .. i + 3 of a row of cols elements, 0 past its end; i is a multiple of 4.
vec4 weights4(Weights w, uint row, uint cols, uint i) {
#if BLOCK == 1
  vec4 x = vec4(0);
  uint at = row * cols + i;
  if (i < cols) x.x = element(w, at);
  if (i + 1 < cols) x.y = element(w, at + 1);
  if (i + 2 < cols) x.z = element(w, at + 2);
  if (i + 3 < cols) x.w = element(w, at + 3);
  return x;
#else
  return i < cols ? dequantize4(w, row * (cols / BLOCK) + i / BLOCK, i % BLOCK) : vec4(0);
#endif
}

// The same of a row of float32 that starts at element at.
vec4 floats4(Floats x, uint at, uint cols, uint i) {
  vec4 r = vec4(0);
  if (i < cols) r.x = x.v[at + i];
  if (i + 1 < cols) r.y = x.v[at + i + 1];
  if (i + 2 < cols) r.z = x.v[at + i + 2];
  if (i + 3 < cols) r.w = x.v[at + i + 3];
  return r;
}

#ifdef UNITS
// The planes from unit `at` of row `row` on, for rows of cols elements.
Weights unitsFrom(Weights w, uint row, uint cols, uint at) {
  uvec4 stride = cols / BLOCK * PLANE_BYTES;
  uvec4 more = at / UNITS * PLANE_BYTES + at % UNITS * UNIT_BYTES;
  return Weights(Words(further(uvec2(w.p0), row, stride.x, more.x)), Words(further(uvec2(w.p1), row, stride.y, more.y)),
      Words(further(uvec2(w.p2), row, stride.z, more.z)), Words(further(uvec2(w.p3), row, stride.w, more.w)));
}
#endif

#if defined(WITH_UNITS) && defined(UNITS)
// Unit u of block b, loaded and taken apart at once.
void unit(Weights w, uint b, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  unitOf(rawUnit(w, b, u), u, qa, qb, sa, sb);
}
#endif
