// Q4_K: 256 elements, x = (d * scale) * q - (dmin * min). Planes q[128] | (scale, min)[8] | d, dmin f16.
// Unit u is sub-block u: byte i has q of element i below and of element 16 + i above, its top bit flipped, so that the
// byte's upper half is 16 * (q - 8), signed, where it stands.
#include "include/q4_k_scales.glsl"
#define BLOCK 256
#define UNITS 8
#define UNIT_MINIMUM
#define UNIT_POWER 16
#define PLANE_BYTES uvec4(128, 16, 4, 0)
#define UNIT_BYTES uvec4(16, 2, 0, 0)
#define UNIT_NIBBLES 0x80u
struct RawUnit { uvec4 q; uint sm; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p0).v[8 * b + u], uint(Halfs(w.p1).v[8 * b + u]), w.p2.v[b]);
}

vec4 dequantize4(Weights w, uint b, uint i) {
  uint u = 8 * b + i / 32;
  uint q = (w.p0.v[4 * u + i % 16 / 4] ^ 0x80808080u) >> (4 * (i % 32 / 16));
  uint sm = uint(Halfs(w.p1).v[u]);
  vec2 dm = unpackHalf2x16(w.p2.v[b]);
  precise float dl = dm.x * float(sm & 0xFFu);
  precise float ml = dm.y * float(sm >> 8);
  precise vec4 x = bytes4(q & 0x0F0F0F0Fu) * dl;
  x = x - ml;
  return x;
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x0F0F0F0Fu;
  qb = ((r.q >> 4) & 0x0F0F0F0Fu) ^ 0x08080808u;
  sa = unpackHalf2x16(r.dm) * vec2(r.sm & 0xFFu, r.sm >> 8);
  sb = sa;
}

#ifdef WITH_X
vec2 scalesOf(RawUnit r) { return unpackHalf2x16(r.dm); }

void products(RawUnit r, X y, out int product, out int minimum) {
  int a = dot16(0, r.q & 0x0F0F0F0Fu, y.a);
  int b = dot16(128 * y.nb, r.q & 0xF0F0F0F0u, y.b);
  product = int(r.sm & 0xFFu) * (16 * a + b);
  minimum = int(r.sm >> 8) * (16 * (y.na + y.nb));
}
#endif

#ifdef WITH_BLOCKS
#define BLOCK_BYTES 144
uint quant(Bytes f, uint at, uint i) { return byteAt(f, at + 16 + 32 * (i / 64) + i % 32) >> (4 * (i / 32 % 2)) & 15u; }

void regroup(Bytes f, uint at, Weights w, uint b, uint u) {
  uvec4 q = uvec4(0);
  [[unroll]] for (uint i = 0; i < 16; i++) {
    q[i / 4] |= (quant(f, at, 32 * u + i) | (quant(f, at, 32 * u + 16 + i) ^ 8u) << 4) << (8 * (i % 4));
  }
  Quads(w.p0).v[8 * b + u] = q;
  Halfs(w.p1).v[8 * b + u] = uint16_t(scaleAndMin(f, at, u));
  if (u == 0) w.p2.v[b] = wordAt(f, at);
}
#endif
