// Q5_1: 32 elements, planes d, m f16 | qh u32 | qs[16]; x = q * d + m.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p2).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uvec4 high = (uvec4(w.p1.v[b] >> i) >> uvec4(0, 1, 2, 3)) & 1u;
  vec2 dm = unpackHalf2x16(w.p0.v[b]);
  precise vec4 x = (bytes4(q & 0x0F0F0F0Fu) + vec4(high << 4)) * dm.x;
  x = x + dm.y;
  return x;
}

#define UNITS 1
#define UNIT_MINIMUM
#define PLANE_BYTES uvec4(4, 4, 16, 0)
#define UNIT_BYTES uvec4(0)
#include "include/fifth_bits.glsl"

struct RawUnit { uvec4 q; uint h; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p2).v[b], w.p1.v[b], w.p0.v[b]);
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = (r.q & 0x0F0F0F0Fu) | uvec4(highBits(r.h, 0), highBits(r.h, 4), highBits(r.h, 8), highBits(r.h, 12));
  qb = ((r.q >> 4) & 0x0F0F0F0Fu) | uvec4(highBits(r.h, 16), highBits(r.h, 20), highBits(r.h, 24), highBits(r.h, 28));
  vec2 dm = unpackHalf2x16(r.dm);
  sa = vec2(dm.x, -dm.y);
  sb = sa;
}
