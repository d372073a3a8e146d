// Q6_K: 256 elements, planes ql[128] | qh[64] | scales[16] | d f16; x = (d * scale) * (q - 32).
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint low = w.p0.v[32 * b + 16 * (i / 128) + (i % 64) / 4] >> (4 * (i % 128 / 64));
  uint high = w.p1.v[16 * b + 8 * (i / 128) + (i % 32) / 4] >> (2 * (i % 128 / 32));
  int s = int(uint(Bytes(w.p2).v[16 * b + i / 16]) << 24) >> 24;
  precise float dl = f16At(Halfs(w.p3), b) * float(s);
  precise vec4 x = (bytes4((low & 0x0F0F0F0Fu) | ((high & 0x03030303u) << 4)) - 32.0) * dl;
  return x;
}

// q is left unsigned; its offset of 32 is taken off in integers.
#define UNITS 8
#define UNIT_A(u) (128 * ((u) / 4) + 16 * ((u) % 4))
#define UNIT_B(u) (UNIT_A(u) + 64)
#define UNIT_OFFSET 32
struct RawUnit { uvec4 low; uvec4 high; uint d; uint sa; uint sb; };

RawUnit rawUnit(Weights w, uint b, uint u) {
  uint j = 16 * b + 8 * (u / 4) + u % 4;
  return RawUnit(Quads(w.p0).v[8 * b + u], Quads(w.p1).v[4 * b + 2 * (u / 4) + u % 2], uint(Halfs(w.p3).v[b]),
      uint(Bytes(w.p2).v[j]), uint(Bytes(w.p2).v[j + 4]));
}

void unitOf(RawUnit r, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 high = r.high >> (u % 4 / 2 * 2);
  qa = (r.low & 0x0F0F0F0Fu) | ((high & 0x03030303u) << 4);
  qb = ((r.low >> 4) & 0x0F0F0F0Fu) | (((high >> 4) & 0x03030303u) << 4);
  float d = f16(r.d);
  sa = vec2(d * float(int(r.sa << 24) >> 24), 0);
  sb = vec2(d * float(int(r.sb << 24) >> 24), 0);
}
