// Q4_K: 256 elements, planes (d, dmin f16, scales[12]) | qs[128]; x = (d * scale) * q - (dmin * min).
#include "include/q4_k_scales.glsl"
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = w.p1.v[32 * b + 8 * (i / 64) + (i % 32) / 4] >> (4 * (i / 32 % 2));
  uvec4 header = Quads(w.p0).v[b];
  vec2 dm = unpackHalf2x16(header.x);
  uvec2 s = scaleAndMin(header, i / 32);
  precise float dl = dm.x * float(s.x);
  precise float ml = dm.y * float(s.y);
  precise vec4 x = bytes4(q & 0x0F0F0F0Fu) * dl;
  x = x - ml;
  return x;
}

#define UNITS 8
#define UNIT_MINIMUM
#define UNIT_A(u) (64 * ((u) / 2) + 16 * ((u) % 2))
#define UNIT_B(u) (UNIT_A(u) + 32)
struct RawUnit { uvec4 q; uvec4 header; };

RawUnit rawUnit(Weights w, uint b, uint u) { return RawUnit(Quads(w.p1).v[8 * b + u], Quads(w.p0).v[b]); }

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x0F0F0F0Fu;
  qb = (r.q >> 4) & 0x0F0F0F0Fu;
  vec2 dm = unpackHalf2x16(r.header.x);
  vec4 sm = vec4(scalesAndMins(r.header, u / 2 * 2));
  sa = dm * sm.xz;
  sb = dm * sm.yw;
}
