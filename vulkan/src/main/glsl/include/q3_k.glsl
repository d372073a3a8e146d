// Q3_K: 256 elements, planes hmask[32] | qs[64] | scales[12] | d f16; x = (d * (s - 32)) * (q - 4).
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = w.p1.v[16 * b + 8 * (i / 128) + (i % 32) / 4] >> (2 * (i % 128 / 32));
  uint h = w.p0.v[8 * b + (i % 32) / 4] >> (i / 32);
  uint j = i / 16;
  uint low = (w.p2.v[3 * b + j % 8 / 4] >> (8 * (j % 4) + 4 * (j / 8))) & 15u;
  uint high = (w.p2.v[3 * b + 2] >> (8 * (j % 4) + 2 * (j / 4))) & 3u;
  precise float dl = f16At(Halfs(w.p3), b) * (float(low | (high << 4)) - 32.0);
  precise vec4 x = (bytes4((q & 0x03030303u) | ((h & 0x01010101u) << 2)) - 4.0) * dl;
  return x;
}

// Two units share 16 bytes, of which each takes two of the four pairs of bits.
#define UNITS 8
#define UNIT_OFFSET 4
#define UNIT_A(u) (128 * ((u) / 4) + 16 * ((u) / 2 % 2) + 64 * ((u) % 2))
#define UNIT_B(u) (UNIT_A(u) + 32)
struct RawUnit { uvec4 q; uvec4 h; uint low; uint high; uint d; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[4 * b + u / 2], Quads(w.p0).v[2 * b + u / 2 % 2], w.p2.v[3 * b + u % 2], w.p2.v[3 * b + 2], uint(Halfs(w.p3).v[b]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 q = r.q >> (4 * (u % 2));
  uvec4 h = r.h >> (4 * (u / 4) + 2 * (u % 2));
  qa = (q & 0x03030303u) | ((h & 0x01010101u) << 2);
  qb = ((q >> 2) & 0x03030303u) | ((h & 0x02020202u) << 1);
  // 6-bit scales: of A in byte 0, of B in byte 2.
  uint at = 8 * (u / 2 % 2);
  uint low = (r.low >> (at + 4 * (u / 4))) & 0x000F000Fu;
  uint high = (r.high >> (at + 4 * (u / 4) + 2 * (u % 2))) & 0x00030003u;
  uint s = low | (high << 4);
  float d = f16(r.d);
  sa = vec2(d * (float(s & 0xFFu) - 32.0), 0);
  sb = vec2(d * (float(s >> 16) - 32.0), 0);
}
