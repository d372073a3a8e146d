// MXFP4: 32 elements, planes e u8 | qs[16]; x = value(q) * 2^(e - 128).
const float NIBBLES[16] = float[](
    0., 1., 2., 3., 4., 6., 8., 12., 0., -1., -2., -3., -4., -6., -8., -12.);

vec4 e2m1(uint q) {
  return vec4(NIBBLES[q & 15u], NIBBLES[(q >> 8) & 15u], NIBBLES[(q >> 16) & 15u], NIBBLES[q >> 24]);
}

#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uint e = uint(Bytes(w.p0).v[b]);
  // 2^(e - 128) is subnormal for e of 0 and 1, which a device may flush to zero.
  float scale = uintBitsToFloat(max(e, 2u) - 1u << 23);
  float shift = e >= 2 ? 1.0 : e == 1 ? 0.5 : 0.25;
  precise vec4 x = (e2m1(q & 0x0F0F0F0Fu) * shift) * scale;
  return x;
}

#define UNIT_SIGNED
#define UNITS 1
#define PLANE_BYTES uvec4(1, 16, 0, 0)
#define UNIT_BYTES uvec4(0)
#ifdef WITH_UNITS
#include "include/nibbles.glsl"

struct RawUnit { uvec4 q; uint e; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[b], uint(Bytes(w.p0).v[b]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  for (uint i = 0; i < 4; i++) valuesOf(r.q[i], qa[i], qb[i]);
  float scale = uintBitsToFloat(max(r.e, 2u) - 1u << 23);
  sa = vec2(scale * (r.e >= 2 ? 1.0 : r.e == 1 ? 0.5 : 0.25), 0);
  sb = sa;
}
#endif
