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

// Unit u of a block for integer dot products: 16 elements from UNIT_A(u) on and 16 from UNIT_B(u) on,
// as packed int8 q, and the scale and minimum of each half: x = scale * (q - UNIT_OFFSET) - minimum.
#define UNIT_SIGNED
#define UNITS 8
#define UNIT_A(u) (32 * (u))
#define UNIT_B(u) (32 * (u) + 16)
#ifdef WITH_UNITS
#define UNIT_TABLE
// The values of both nibbles of a byte, as two int8.
shared uint nibbleValues[256];

void fillTable() {
  for (uint i = gl_LocalInvocationID.x; i < 256; i += gl_WorkGroupSize.x) {
    nibbleValues[i] = (uint(int(IQ4[i & 15u])) & 0xFFu) | (uint(int(IQ4[i >> 4])) & 0xFFu) << 8;
  }
  barrier();
}

void valuesOf(uint q, out uint low, out uint high) {
  uint a = nibbleValues[q & 0xFFu];
  uint b = nibbleValues[(q >> 8) & 0xFFu];
  uint c = nibbleValues[(q >> 16) & 0xFFu];
  uint d = nibbleValues[q >> 24];
  low = (a & 0xFFu) | (b & 0xFFu) << 8 | (c & 0xFFu) << 16 | d << 24;
  high = a >> 8 | (b & 0xFF00u) | (c & 0xFF00u) << 8 | (d & 0xFF00u) << 16;
}

void unit(Weights w, uint b, uint u, out uvec4 qa, out uvec4 qb, out vec2 sa, out vec2 sb) {
  uvec4 q = Quads(w.p1).v[8 * b + u];
  for (uint i = 0; i < 4; i++) valuesOf(q[i], qa[i], qb[i]);
  uint head = w.p0.v[2 * b];
  uint low = (w.p0.v[2 * b + 1] >> (4 * u)) & 15u;
  uint high = (head >> (16 + 2 * u)) & 3u;
  sa = vec2(f16(head) * (float(low | (high << 4)) - 32.0), 0);
  sb = sa;
}
#endif
