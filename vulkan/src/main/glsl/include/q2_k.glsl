// Q2_K: 256 elements, planes scales[16] | qs[64] | d, dmin f16; x = (d * scale) * q - (dmin * min).
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = w.p1.v[16 * b + 8 * (i / 128) + (i % 32) / 4] >> (2 * (i % 128 / 32));
  uint s = uint(Bytes(w.p0).v[16 * b + i / 16]);
  vec2 dm = unpackHalf2x16(w.p2.v[b]);
  precise float dl = dm.x * float(s & 15u);
  precise float ml = dm.y * float(s >> 4);
  precise vec4 x = bytes4(q & 0x03030303u) * dl;
  x = x - ml;
  return x;
}

// Two units share 16 bytes, of which each takes two of the four pairs of bits.
#define UNITS 8
#define UNIT_MINIMUM
#define UNIT_A(u) (128 * ((u) / 4) + 16 * ((u) / 2 % 2) + 64 * ((u) % 2))
#define UNIT_B(u) (UNIT_A(u) + 32)
struct RawUnit { uvec4 q; uint scales; uint dm; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  return RawUnit(Quads(w.p1).v[4 * b + u / 2], w.p0.v[4 * b + 2 * (u / 4) + u % 2], w.p2.v[b]);
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 q = r.q >> (4 * (u % 2));
  qa = q & 0x03030303u;
  qb = (q >> 2) & 0x03030303u;
  uint s = r.scales >> (8 * (u / 2 % 2)); // of A in byte 0, of B in byte 2
  uint scales = s & 0x000F000Fu;
  uint mins = (s >> 4) & 0x000F000Fu;
  vec2 dm = unpackHalf2x16(r.dm);
  sa = dm * vec2(scales & 0xFFu, mins & 0xFFu);
  sb = dm * vec2(scales >> 16, mins >> 16);
}
