// IQ4_NL: 32 elements, planes d f16 | qs[16]; x = d * IQ4[q].
#include "include/iq4.glsl"
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = iq4(q & 0x0F0F0F0Fu) * d;
  return x;
}
