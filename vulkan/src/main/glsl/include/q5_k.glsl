// Q5_K: 256 elements, x = (d * scale) * q - (dmin * min). Planes q[128] | h[32] | (scale, min)[8] | d, dmin f16.
// Unit u is sub-block u: byte i of q has q of element i in 5 bits, above them the 3 upper bits of element 16 + i; byte
// i % 4 of h has its 2 lower bits from bit 2 * (i / 4) on. Its top bit is flipped, so that together, in bits 3 to 7,
// they are 8 * (q - 16), signed.
#include "include/q4_k_scales.glsl"
#define BLOCK 256
#define UNITS 8
#define UNIT_MINIMUM
#define UNIT_POWER 8
#define PLANE_BYTES uvec4(128, 32, 16, 4)
#define UNIT_BYTES uvec4(16, 4, 2, 0)
struct RawUnit { uvec4 q; uint h; uint sm; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p0).v[8 * b + u], w.p1.v[8 * b + u], uint(Halfs(w.p2).v[8 * b + u]), w.p3.v[b]);
}

// Elements 16 and up, 8 * (q - 16).
uvec4 upperHalf(RawUnit r) {
  return (r.q & 0xE0E0E0E0u) | (uvec4(r.h << 3, r.h << 1, r.h >> 1, r.h >> 3) & 0x18181818u);
}

vec4 dequantize4(Weights w, uint b, uint i) {
  uint u = 8 * b + i / 32;
  uint k = i % 16 / 4;
  uint q = w.p0.v[4 * u + k];
  uint low = (w.p1.v[u] >> (2 * k)) & 0x03030303u;
  q = i % 32 < 16 ? q & 0x1F1F1F1Fu : (((q >> 3) & 0x1C1C1C1Cu) | low) ^ 0x10101010u;
  uint sm = uint(Halfs(w.p2).v[u]);
  vec2 dm = unpackHalf2x16(w.p3.v[b]);
  precise float dl = dm.x * float(sm & 0xFFu);
  precise float ml = dm.y * float(sm >> 8);
  precise vec4 x = bytes4(q) * dl;
  x = x - ml;
  return x;
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x1F1F1F1Fu;
  qb = (upperHalf(r) >> 3 & 0x1F1F1F1Fu) ^ 0x10101010u;
  sa = unpackHalf2x16(r.dm) * vec2(r.sm & 0xFFu, r.sm >> 8);
  sb = sa;
}

#ifdef WITH_X
vec2 scalesOf(RawUnit r) { return unpackHalf2x16(r.dm); }

void products(RawUnit r, X y, out int product, out int minimum) {
  int a = dot16(0, r.q & 0x1F1F1F1Fu, y.a);
  int b = dot16(128 * y.nb, upperHalf(r), y.b);
  product = int(r.sm & 0xFFu) * (8 * a + b);
  minimum = int(r.sm >> 8) * (8 * (y.na + y.nb));
}
#endif

#ifdef WITH_BLOCKS
#define BLOCK_BYTES 176
uint quant(Bytes f, uint at, uint i) {
  uint high = byteAt(f, at + 16 + i % 32) >> (i / 32) & 1u;
  return (byteAt(f, at + 48 + 32 * (i / 64) + i % 32) >> (4 * (i / 32 % 2)) & 15u) | high << 4;
}

void regroup(Bytes f, uint at, Weights w, uint b, uint u) {
  uvec4 q = uvec4(0);
  uint h = 0;
  [[unroll]] for (uint i = 0; i < 16; i++) {
    uint upper = quant(f, at, 32 * u + 16 + i) ^ 16u;
    q[i / 4] |= (quant(f, at, 32 * u + i) | upper >> 2 << 5) << (8 * (i % 4));
    h |= (upper & 3u) << (8 * (i % 4) + 2 * (i / 4));
  }
  Quads(w.p0).v[8 * b + u] = q;
  w.p1.v[8 * b + u] = h;
  Halfs(w.p2).v[8 * b + u] = uint16_t(scaleAndMin(f, at, u));
  if (u == 0) w.p3.v[b] = wordAt(f, at);
}
#endif
