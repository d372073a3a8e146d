// Q6_K: 256 elements, x = (d * scale) * (q - 32). Planes q[128] | h[64] | scales[16] | d f16; a scale is of 16 elements.
// Unit u is 32 elements: byte i of q has q of element i in 6 bits, above them the 2 upper bits of element 16 + i; byte
// i % 8 of h has its 4 lower bits, from bit 4 * (i / 8) on. Its top bit is flipped, so that together, in bits 2 to 7,
// they are 4 * (q - 32), signed.
#define BLOCK 256
#define UNITS 8
#define UNIT_OFFSET 32
#define UNIT_POWER 4
#define PLANE_BYTES uvec4(128, 64, 16, 2)
#define UNIT_BYTES uvec4(16, 8, 2, 0)
struct RawUnit { uvec4 q; uvec2 h; uint s; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p0).v[8 * b + u], Pairs(w.p1).v[8 * b + u], uint(Halfs(w.p2).v[8 * b + u]), uint(Halfs(w.p3).v[b]));
}

// Elements 16 and up, 4 * (q - 32).
uvec4 upperHalf(RawUnit r) {
  return (r.q & 0xC0C0C0C0u) | (uvec4(r.h << 2, r.h >> 2) & 0x3C3C3C3Cu);
}

vec4 dequantize4(Weights w, uint b, uint i) {
  uint u = 8 * b + i / 32;
  uint k = i % 16 / 4;
  uint q = w.p0.v[4 * u + k];
  uint low = (w.p1.v[2 * u + k % 2] >> (4 * (k / 2))) & 0x0F0F0F0Fu;
  q = i % 32 < 16 ? q & 0x3F3F3F3Fu : (((q >> 2) & 0x30303030u) | low) ^ 0x20202020u;
  int s = int(uint(Bytes(w.p2).v[16 * b + i / 16]) << 24) >> 24;
  precise float dl = f16At(Halfs(w.p3), b) * float(s);
  precise vec4 x = (bytes4(q) - 32.0) * dl;
  return x;
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = r.q & 0x3F3F3F3Fu;
  qb = (upperHalf(r) >> 2 & 0x3F3F3F3Fu) ^ 0x20202020u;
  float d = f16(r.d);
  sa = vec2(d * float(int(r.s << 24) >> 24), 0);
  sb = vec2(d * float(int(r.s << 16) >> 24), 0);
}

#ifdef WITH_X
vec2 scalesOf(RawUnit r) { return vec2(f16(r.d), 0); }

void products(RawUnit r, X y, out int product, out int minimum) {
  int a = dot16(-32 * y.na, r.q & 0x3F3F3F3Fu, y.a);
  int b = dot16(0, upperHalf(r), y.b);
  product = (int(r.s << 24) >> 22) * a + (int(r.s << 16) >> 24) * b;
  minimum = 0;
}
#endif

#ifdef WITH_BLOCKS
#define BLOCK_BYTES 210
uint quant(Bytes f, uint at, uint i) {
  uint low = byteAt(f, at + 64 * (i / 128) + i % 64) >> (4 * (i % 128 / 64)) & 15u;
  return low | (byteAt(f, at + 128 + 32 * (i / 128) + i % 32) >> (2 * (i % 128 / 32)) & 3u) << 4;
}

void regroup(Bytes f, uint at, Weights w, uint b, uint u) {
  uvec4 q = uvec4(0);
  uvec2 h = uvec2(0);
  [[unroll]] for (uint i = 0; i < 16; i++) {
    uint upper = quant(f, at, 32 * u + 16 + i) ^ 32u;
    q[i / 4] |= (quant(f, at, 32 * u + i) | upper >> 4 << 6) << (8 * (i % 4));
    h[i / 4 % 2] |= (upper & 15u) << (8 * (i % 4) + 4 * (i / 8));
  }
  Quads(w.p0).v[8 * b + u] = q;
  Pairs(w.p1).v[8 * b + u] = h;
  Halfs(w.p2).v[8 * b + u] = uint16_t(byteAt(f, at + 192 + 2 * u) | byteAt(f, at + 193 + 2 * u) << 8);
  if (u == 0) Halfs(w.p3).v[b] = uint16_t(byteAt(f, at + 208) | byteAt(f, at + 209) << 8);
}
#endif
