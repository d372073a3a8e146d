#version 450
// Writes K or V of each row into its slot: as f16, or as q8_0 (d = f16(largest / 127), nearest levels).
// Grid: x * z = ceil(n * width / UNIT / workgroup size), UNIT 1 element of f16 or 32 of q8_0.
#include "include/types.glsl"
#include "include/kv.glsl"
layout(constant_id = 1) const uint Q8 = 0;

layout(push_constant, scalar) uniform Push {
  Floats x;     // [n, width]
  Words data;   // [slots, width]
  Words scales; // [slots, width / 32], q8_0 only
  StepRows rows;
  uint n;
  uint width;
};

void storeQ8(uint i) {
  uint row = i / (width / 32);
  uint from = 32 * i;
  float largest = 0;
  for (uint e = 0; e < 32; e++) largest = max(largest, abs(x.v[from + e]));
  uint d = toHalf(largest / 127.0);
  uint to = slot(rows, row, rows.positions.v[row]) * (width / 32) + i % (width / 32);
  Halfs(scales).v[to] = uint16_t(d);
  float scale = f16(d);
  for (uint w = 0; w < 8; w++) {
    uint word = 0;
    for (uint e = 0; e < 4; e++) {
      float q = scale == 0 ? 0 : roundEven(x.v[from + 4 * w + e] / scale);
      word |= (uint(int(clamp(q, -127.0, 127.0))) & 0xFFu) << (8 * e);
    }
    data.v[8 * to + w] = word;
  }
}

void main() {
  uint i = workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (Q8 > 0) {
    if (i < n * (width / 32)) storeQ8(i);
  } else if (i < n * width) {
    uint row = i / width;
    uint to = slot(rows, row, rows.positions.v[row]) * width + i % width;
    Halfs(data).v[to] = uint16_t(toHalf(x.v[i]));
  }
}
