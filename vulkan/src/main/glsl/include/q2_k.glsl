// Q2_K: 256 elements, x = (d * scale) * q - (dmin * min). Planes q[64] | scales[16] | d, dmin f16; scales are of 16 elements.
// Unit u is 32 elements in words of 4, A0 to A3 and B0 to B3: two words of bytes with A0 and A1 in bits 0 and 1, then
// A2 and A3, B0 and B1, B2 and B3 with the top bit flipped (64 * (q - 2), signed). Four bits each: scale of
// B, of A, minimum of A, of B.
#define BLOCK 256
#define UNITS 8
#define UNIT_MINIMUM
#define UNIT_POWER 64
#define PLANE_BYTES uvec4(64, 16, 4, 0)
#define UNIT_BYTES uvec4(8, 2, 0, 0)
struct RawUnit { uvec2 q; uint sm; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Pairs(w.p0).v[8 * b + u], uint(Halfs(w.p1).v[8 * b + u]), w.p2.v[b]);
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  qa = uvec4(r.q, r.q >> 2) & 0x03030303u;
  qb = uvec4(r.q >> 4, (r.q ^ 0x80808080u) >> 6) & 0x03030303u;
  vec2 dm = unpackHalf2x16(r.dm);
  sa = dm * vec2(r.sm >> 4 & 15u, r.sm >> 8 & 15u);
  sb = dm * vec2(r.sm & 15u, r.sm >> 12);
}

vec4 dequantize4(Weights w, uint b, uint i) {
  uint u = 8 * b + i / 32;
  uint q = (w.p0.v[2 * u + i % 8 / 4] ^ 0x80808080u) >> (2 * (i % 32 / 8));
  uint sm = uint(Halfs(w.p1).v[u]);
  vec2 dm = unpackHalf2x16(w.p2.v[b]);
  bool first = i % 32 < 16;
  precise float dl = dm.x * float(sm >> (first ? 4 : 0) & 15u);
  precise float ml = dm.y * float(sm >> (first ? 8 : 12) & 15u);
  precise vec4 x = bytes4(q & 0x03030303u) * dl;
  x = x - ml;
  return x;
}

#ifdef WITH_X
vec2 scalesOf(RawUnit r) { return unpackHalf2x16(r.dm); }

void products(RawUnit r, X y, out int product, out int minimum) {
  int a = 4 * dot8(0, r.q & 0x03030303u, y.a.xy);
  a = dot8(a, r.q & 0x0C0C0C0Cu, y.a.zw);
  int b = 4 * dot8(32 * (sum4(y.b.z) + sum4(y.b.w)), r.q & 0x30303030u, y.b.xy);
  b = dot8(b, r.q & 0xC0C0C0C0u, y.b.zw);
  product = int(r.sm & 0xF0u) * a + int(r.sm & 15u) * b;
  minimum = int(r.sm >> 8 & 15u) * (64 * y.na) + int(r.sm >> 12) * (64 * y.nb);
}
#endif

#ifdef WITH_BLOCKS
#define BLOCK_BYTES 84
uint quant(Bytes f, uint at, uint i) { return byteAt(f, at + 16 + 32 * (i / 128) + i % 32) >> (2 * (i % 128 / 32)) & 3u; }

void regroup(Bytes f, uint at, Weights w, uint b, uint u) {
  uvec2 q = uvec2(0);
  [[unroll]] for (uint i = 0; i < 32; i++) q[i / 4 % 2] |= quant(f, at, 32 * u + i) << (8 * (i % 4) + 2 * (i / 8));
  Pairs(w.p0).v[8 * b + u] = q ^ 0x80808080u;
  uint a = byteAt(f, at + 2 * u);
  uint b_ = byteAt(f, at + 2 * u + 1);
  Halfs(w.p1).v[8 * b + u] = uint16_t((b_ & 15u) | (a & 15u) << 4 | a >> 4 << 8 | b_ >> 4 << 12);
  if (u == 0) w.p2.v[b] = wordAt(f, at + 80);
}
#endif
