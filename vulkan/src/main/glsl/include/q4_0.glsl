// Q4_0: 32 elements, planes d f16 | qs[16]; x = (q - 8) * d.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = (bytes4(q & 0x0F0F0F0Fu) - 8.0) * d;
  return x;
}

#define UNITS 1
#define PLANE_BYTES uvec4(2, 16, 0, 0)
#define UNIT_BYTES uvec4(0)
#define UNIT_OFFSET 8
#define UNIT_NIBBLES 0u
struct RawUnit { uvec4 q; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[b], uint(Halfs(w.p0).v[b]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x0F0F0F0Fu;
  qb = (r.q >> 4) & 0x0F0F0F0Fu;
  sa = vec2(f16(r.d), 0);
  sb = sa;
}
