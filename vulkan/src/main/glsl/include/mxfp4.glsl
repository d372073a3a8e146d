// MXFP4: 32 elements, planes e u8 | qs[16]; x = E2M1[q] * 2^(e - 128).
const float E2M1[16] = float[](
    0., 1., 2., 3., 4., 6., 8., 12., 0., -1., -2., -3., -4., -6., -8., -12.);

vec4 e2m1(uint q) {
  return vec4(E2M1[q & 15u], E2M1[(q >> 8) & 15u], E2M1[(q >> 16) & 15u], E2M1[q >> 24]);
}

#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uint e = uint(Bytes(w.p0).v[b]);
  // 2^(e - 128) is subnormal for e of 0 and 1, which a device may flush to zero.
  float scale = uintBitsToFloat(max(e, 2u) - 1u << 23);
  float shift = e >= 2 ? 1.0 : e == 1 ? 0.5 : 0.25;
  precise vec4 x = (e2m1(q & 0x0F0F0F0Fu) * shift) * scale;
  return x;
}
