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

// Unit u of a block for integer dot products: 16 elements from UNIT_A(u) on and 16 from UNIT_B(u) on,
// as packed int8 q, and the scale and minimum of each half: x = scale * q - minimum.
// q is left unsigned; its offset of 32 is taken off in integers.
#define UNITS 8
#define UNIT_A(u) (128 * ((u) / 4) + 16 * ((u) % 4))
#define UNIT_B(u) (UNIT_A(u) + 64)
#define UNIT_OFFSET 32
void unit(Weights w, uint b, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 low = Quads(w.p0).v[8 * b + u];
  uvec4 high = Quads(w.p1).v[4 * b + 2 * (u / 4) + u % 2] >> (u % 4 / 2 * 2);
  qa = (low & 0x0F0F0F0Fu) | ((high & 0x03030303u) << 4);
  qb = ((low >> 4) & 0x0F0F0F0Fu) | (((high >> 4) & 0x03030303u) << 4);
  float d = f16At(Halfs(w.p3), b);
  uint j = 16 * b + 8 * (u / 4) + u % 4;
  sa = vec2(d * float(int(uint(Bytes(w.p2).v[j]) << 24) >> 24), 0);
  sb = vec2(d * float(int(uint(Bytes(w.p2).v[j + 4]) << 24) >> 24), 0);
}
