#version 450
// Blocks of a file as the device keeps them, for formats with units in an order of their own. An invocation a unit.
// Grid: x * z = ceil(units / workgroup size).
#include "include/types.glsl"

uint byteAt(Bytes f, uint at) { return uint(f.v[at]); }
uint wordAt(Bytes f, uint at) { return byteAt(f, at) | byteAt(f, at + 1) << 8 | byteAt(f, at + 2) << 16 | byteAt(f, at + 3) << 24; }

#define WITH_BLOCKS
#include "include/weights.glsl"

layout(push_constant, scalar) uniform Push {
  Bytes file;
  Weights planes;
  uint units;
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i < units) regroup(file, i / UNITS * BLOCK_BYTES, planes, i / UNITS, i % UNITS);
}
