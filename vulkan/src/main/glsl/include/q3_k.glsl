// Q3_K: 256 elements, x = (d * scale) * (q - 4). Planes q[64] | h[32] | scales[16] | d f16; a scale is of 16 elements, a
// signed byte.
// Unit u is 32 elements in words of 4, A0 to A3 and B0 to B3, in three words of bytes: B0, B1, B2 in bits 0 to 2, A0,
// A1, A2 in bits 5 to 7 with the top bit flipped (32 * (q - 4), signed); in bits 3 and 4 the two upper bits of A3, those
// of B3, and the lower bits of both.
#define BLOCK 256
#define UNITS 8
#define UNIT_OFFSET 4
#define UNIT_POWER 32
#define PLANE_BYTES uvec4(64, 32, 16, 2)
#define UNIT_BYTES uvec4(8, 4, 2, 0)
struct RawUnit { uvec2 q; uint h; uint s; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Pairs(w.p0).v[8 * b + u], w.p1.v[8 * b + u], uint(Halfs(w.p2).v[8 * b + u]), uint(Halfs(w.p3).v[b]));
}

// A3 and B3, 4 * q.
uvec2 lastWords(RawUnit r) {
  return (r.q & 0x18181818u) | (uvec2(r.h >> 1, r.h >> 2) & 0x04040404u);
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec2 last = lastWords(r) >> 2;
  qa = uvec4((uvec3(r.q, r.h) >> 5 & 0x07070707u) ^ 0x04040404u, last.x);
  qb = uvec4(uvec3(r.q, r.h) & 0x07070707u, last.y);
  float d = f16(r.d);
  sa = vec2(d * float(int(r.s << 24) >> 24), 0);
  sb = vec2(d * float(int(r.s << 16) >> 24), 0);
}

vec4 dequantize4(Weights w, uint b, uint i) {
  uvec4 qa, qb;
  vec2 sa, sb;
  unitOf(rawUnit(w, b, i / 32), i / 32, qa, qb, sa, sb);
  bool first = i % 32 < 16;
  precise vec4 x = (bytes4(first ? qa[i % 16 / 4] : qb[i % 16 / 4]) - 4.0) * (first ? sa.x : sb.x);
  return x;
}

#ifdef WITH_X
vec2 scalesOf(RawUnit r) { return vec2(f16(r.d), 0); }

void products(RawUnit r, X y, out int product, out int minimum) {
  uvec3 q = uvec3(r.q, r.h);
  uvec2 last = lastWords(r);
  int a = 8 * dot4(-16 * sum4(y.a.w), last.x, y.a.w);
  a = dot12(a, q & 0xE0E0E0E0u, y.a.xyz);
  int b = 4 * dot12(-4 * y.nb, q & 0x07070707u, y.b.xyz);
  b = dot4(b, last.y, y.b.w);
  product = (int(r.s << 24) >> 24) * a + (int(r.s << 16) >> 24) * (8 * b);
  minimum = 0;
}
#endif

#ifdef WITH_BLOCKS
#define BLOCK_BYTES 110
uint quant(Bytes f, uint at, uint i) {
  uint low = byteAt(f, at + 32 + 32 * (i / 128) + i % 32) >> (2 * (i % 128 / 32)) & 3u;
  return low | (byteAt(f, at + i % 32) >> (i / 32) & 1u) << 2;
}

uint scale(Bytes f, uint at, uint j) {
  uint low = byteAt(f, at + 96 + j % 8) >> (4 * (j / 8)) & 15u;
  uint high = byteAt(f, at + 104 + j % 4) >> (2 * (j / 4)) & 3u;
  return (low | high << 4) - 32u & 0xFFu;
}

void regroup(Bytes f, uint at, Weights w, uint b, uint u) {
  uvec3 q = uvec3(0);
  [[unroll]] for (uint i = 0; i < 12; i++) {
    q[i / 4] |= ((quant(f, at, 32 * u + i) ^ 4u) << 5 | quant(f, at, 32 * u + 16 + i)) << (8 * (i % 4));
  }
  [[unroll]] for (uint i = 0; i < 4; i++) {
    uint a = quant(f, at, 32 * u + 12 + i);
    uint b = quant(f, at, 32 * u + 28 + i);
    q |= uvec3(a >> 1, b >> 1, (a & 1u) | (b & 1u) << 1) << (8 * i + 3);
  }
  Pairs(w.p0).v[8 * b + u] = q.xy;
  w.p1.v[8 * b + u] = q.z;
  Halfs(w.p2).v[8 * b + u] = uint16_t(scale(f, at, 2 * u) | scale(f, at, 2 * u + 1) << 8);
  if (u == 0) Halfs(w.p3).v[b] = uint16_t(byteAt(f, at + 108) | byteAt(f, at + 109) << 8);
}
#endif
