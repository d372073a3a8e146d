#version 450
// Rotates the first dims elements of each head by the token's position (graph.RopeParams).
// Grid: x * z = ceil(n * width / workgroup size).
#include "include/types.glsl"

layout(constant_id = 1) const uint NEOX = 0;

layout(push_constant, scalar) uniform Push {
  Floats x;        // [n, width]
  Floats result;   // [n, width]
  Words turns;     // [dims / 2][high, low]
  Words positions; // [n]
  uint n;
  uint width;
  uint headDim;
  uint dims;
  float magnitude;
};

#include "include/turns.glsl"

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= n * width) return;
  uint e = i % width % headDim;
  if (e >= dims) {
    result.v[i] = x.v[i];
    return;
  }
  uint pair = NEOX > 0 ? e % (dims / 2) : e / 2;
  bool second = NEOX > 0 ? e >= dims / 2 : e % 2 == 1;
  uint distance = NEOX > 0 ? dims / 2 : 1;
  uint p = positions.v[i / width];
  vec2 cs = rotation(turns, pair, p) * magnitude;
  result.v[i] = second ? x.v[i - distance] * cs.y + x.v[i] * cs.x
                       : x.v[i] * cs.x - x.v[i + distance] * cs.y;
}
