// Q5_1: 32 elements, planes d, m f16 | qh u32 | qs[16]; x = q * d + m.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p2).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uvec4 high = (uvec4(w.p1.v[b] >> i) >> uvec4(0, 1, 2, 3)) & 1u;
  vec2 dm = unpackHalf2x16(w.p0.v[b]);
  precise vec4 x = (bytes4(q & 0x0F0F0F0Fu) + vec4(high << 4)) * dm.x;
  x = x + dm.y;
  return x;
}
