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
float scaleOf(uvec3 s, uint j) {
  uint low = (s[j % 8 / 4] >> (8 * (j % 4) + 4 * (j / 8))) & 15u;
  uint high = (s.z >> (8 * (j % 4) + 2 * (j / 4))) & 3u;
  return float(low | (high << 4)) - 32.0;
}

void unit(Weights w, uint b, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 q = Quads(w.p1).v[4 * b + u / 2] >> (4 * (u % 2));
  uvec4 h = Quads(w.p0).v[2 * b + u / 2 % 2] >> (4 * (u / 4) + 2 * (u % 2));
  qa = (q & 0x03030303u) | ((h & 0x01010101u) << 2);
  qb = ((q >> 2) & 0x03030303u) | (((h >> 1) & 0x01010101u) << 2);
  uvec3 s = uvec3(w.p2.v[3 * b], w.p2.v[3 * b + 1], w.p2.v[3 * b + 2]);
  float d = f16At(Halfs(w.p3), b);
  sa = vec2(d * scaleOf(s, UNIT_A(u) / 16), 0);
  sb = vec2(d * scaleOf(s, UNIT_B(u) / 16), 0);
}
