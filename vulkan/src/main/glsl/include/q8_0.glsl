// Q8_0: 32 elements, planes d f16 | qs[32]; x = q * d.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = signedBytes4(w.p1.v[8 * b + i / 4]) * d;
  return x;
}

#define UNIT_SIGNED
#define UNITS 1
#define PLANE_BYTES uvec4(2, 32, 0, 0)
#define UNIT_BYTES uvec4(0)
struct RawUnit { uvec4 qa; uvec4 qb; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[2 * b], Quads(w.p1).v[2 * b + 1], uint(Halfs(w.p0).v[b]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.qa;
  qb = r.qb;
  sa = vec2(f16(r.d), 0);
  sb = sa;
}
