// IQ4_NL: 32 elements, planes d f16 | qs[16]; x = d * IQ4[q].
#include "include/iq4.glsl"
#define BLOCK 32
vec4 dequantize4(Weights w, uint b, uint i) {
  uint q = Words(w.p1).v[4 * b + (i % 16) / 4] >> (4 * (i / 16));
  float d = f16At(Halfs(w.p0), b);
  precise vec4 x = iq4(q & 0x0F0F0F0Fu) * d;
  return x;
}

// Unit u of a block for integer dot products: 16 elements from UNIT_A(u) on and 16 from UNIT_B(u) on,
// as packed int8 q, and the scale and minimum of each half: x = scale * (q - UNIT_OFFSET) - minimum.
#define UNIT_SIGNED
#define UNITS 1
#define UNIT_A(u) 0
#define UNIT_B(u) 16
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
  uvec4 q = Quads(w.p1).v[b];
  for (uint i = 0; i < 4; i++) valuesOf(q[i], qa[i], qb[i]);
  sa = vec2(f16At(Halfs(w.p0), b), 0);
  sb = sa;
}
#endif
