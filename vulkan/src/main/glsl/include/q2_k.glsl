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
