// IQ4_XS: 256 elements, planes (d f16, scales_h u16, scales_l[4]) | qs[128]; x = (d * (s - 32)) * IQ4[q].
#include "include/iq4.glsl"
#define BLOCK 256
vec4 dequantize4(Weights w, uint b, uint i) {
  uint j = i / 32;
  uint q = w.p1.v[32 * b + 4 * j + (i % 16) / 4] >> (4 * (i % 32 / 16));
  uint head = w.p0.v[2 * b];
  uint low = (w.p0.v[2 * b + 1] >> (4 * j)) & 15u;
  uint high = (head >> (16 + 2 * j)) & 3u;
  precise float dl = f16(head) * (float(low | (high << 4)) - 32.0);
  precise vec4 x = iq4(q & 0x0F0F0F0Fu) * dl;
  return x;
}
