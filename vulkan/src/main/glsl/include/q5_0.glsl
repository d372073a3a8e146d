// Q5_0: 32 elements, planes d f16 | qh u32 | qs[16]; x = (q - 16) * d.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p2).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uvec4 high = (uvec4(w.p1.v[b] >> i) >> uvec4(0, 1, 2, 3)) & 1u;
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = (bytes4(q & 0x0F0F0F0Fu) + vec4(high << 4) - 16.0) * d;
  return x;
}

#define UNITS 1
#define UNIT_OFFSET 16
#define PLANE_BYTES uvec4(2, 4, 16, 0)
#define UNIT_BYTES uvec4(0)
#include "include/fifth_bits.glsl"

struct RawUnit { uvec4 q; uint h; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p2).v[b], w.p1.v[b], uint(Halfs(w.p0).v[b]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = (r.q & 0x0F0F0F0Fu) | uvec4(highBits(r.h, 0), highBits(r.h, 4), highBits(r.h, 8), highBits(r.h, 12));
  qb = ((r.q >> 4) & 0x0F0F0F0Fu) | uvec4(highBits(r.h, 16), highBits(r.h, 20), highBits(r.h, 24), highBits(r.h, 28));
  sa = vec2(f16(r.d), 0);
  sb = sa;
}
