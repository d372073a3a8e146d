// Q4_1: 32 elements, planes d, m f16 | qs[16]; x = q * d + m.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  vec2 dm = unpackHalf2x16(w.p0.v[b]);
  precise vec4 x = bytes4(q & 0x0F0F0F0Fu) * dm.x;
  x = x + dm.y;
  return x;
}

#define UNITS 1
#define UNIT_MINIMUM
#define PLANE_BYTES uvec4(4, 16, 0, 0)
#define UNIT_BYTES uvec4(0)
#define UNIT_NIBBLES 0u
struct RawUnit { uvec4 q; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[b], w.p0.v[b]);
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x0F0F0F0Fu;
  qb = (r.q >> 4) & 0x0F0F0F0Fu;
  vec2 dm = unpackHalf2x16(r.dm);
  sa = vec2(dm.x, -dm.y);
  sb = sa;
}
