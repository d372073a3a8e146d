// Q5_0: 32 elements, planes d f16 | qh u32 | qs[16]; x = (q - 16) * d.
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p2).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  uvec4 high = (uvec4(w.p1.v[b] >> i) >> uvec4(0, 1, 2, 3)) & 1u;
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = (bytes4(q & 0x0F0F0F0Fu) + vec4(high << 4) - 16.0) * d;
  return x;
}
