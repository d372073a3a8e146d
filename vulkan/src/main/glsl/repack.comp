#version 450
// One byte range of each block to its plane: to[b * length + j] = from[b * stride + offset + j].
// UNIT bytes (1, 2 or 4) an invocation, since blocks of a file are not aligned. Grid: x * z.
#include "include/types.glsl"

layout(constant_id = 1) const uint UNIT = 1;

layout(push_constant, scalar) uniform Push {
  Bytes from;
  Words to;
  uint count;  // units
  uint stride; // bytes of a block
  uint offset; // first byte of the range
  uint length; // bytes of the range
};

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= count) return;
  uint perBlock = length / UNIT;
  uint at = i / perBlock * stride + offset + i % perBlock * UNIT;
  uint value = uint(from.v[at]);
  if (UNIT > 1) value |= uint(from.v[at + 1]) << 8;
  if (UNIT > 2) value |= uint(from.v[at + 2]) << 16 | uint(from.v[at + 3]) << 24;
  if (UNIT == 1) Bytes(to).v[i] = uint8_t(value);
  if (UNIT == 2) Halfs(to).v[i] = uint16_t(value);
  if (UNIT == 4) to.v[i] = value;
}
