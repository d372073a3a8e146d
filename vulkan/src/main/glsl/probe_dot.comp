#version 450
// 16 chains of dot products of packed 8-bit integers a round and invocation, to measure how fast they
// can be; the result is stored only so that nothing is left out. Grid: x.
#extension GL_EXT_integer_dot_product : require
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats result; // [1]
  uint rounds;
};

void main() {
  int f = int(gl_LocalInvocationID.x) * 0x01030507;
  int a[16];
  [[unroll]] for (int j = 0; j < 16; j++) a[j] = f + j;
  for (uint i = 0; i < rounds; i++) {
    [[unroll]] for (int j = 0; j < 16; j++) a[j] += dotPacked4x8EXT(a[j], f);
  }
  int sum = 0;
  [[unroll]] for (int j = 0; j < 16; j++) sum += a[j];
  if (sum == 0x12345678) result.v[0] = 1;
}
