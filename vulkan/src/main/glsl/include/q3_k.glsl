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
