// IQ4_XS: 256 elements, planes (d f16, scales_h u16, scales_l[4]) | qs[128]; x = (d * (s - 32)) * value(q).
#include "include/iq4.glsl"
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint j = i / 32;
  uint q = w.p1.v[32 * b + 4 * j + (i % 16) / 4] >> (4 * (i % 32 / 16));
  uint head = w.p0.v[2 * b];
  uint low = (w.p0.v[2 * b + 1] >> (4 * j)) & 15u;
  uint high = (head >> (16 + 2 * j)) & 3u;
  precise float dl = f16(head) * (float(low | (high << 4)) - 32.0);
  precise vec4 x = iq4(q & 0x0F0F0F0Fu) * dl;
  return x;
}

#define UNIT_SIGNED
#define UNITS 8
#define PLANE_BYTES uvec4(8, 128, 0, 0)
#define UNIT_BYTES uvec4(0, 16, 0, 0)
#ifdef WITH_UNITS
#include "include/nibbles.glsl"

struct RawUnit { uvec4 q; uvec2 head; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[8 * b + u], uvec2(w.p0.v[2 * b], w.p0.v[2 * b + 1]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  for (uint i = 0; i < 4; i++) valuesOf(r.q[i], qa[i], qb[i]);
  uint low = (r.head.y >> (4 * u)) & 15u;
  uint high = (r.head.x >> (16 + 2 * u)) & 3u;
  sa = vec2(f16(r.head.x) * (float(low | (high << 4)) - 32.0), 0);
  sb = sa;
}
#endif
