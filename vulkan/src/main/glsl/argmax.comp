#version 450
// The largest element of each row of x and its index, the lowest among equals, in two rounds: with
// ROUND 0, of each of the grid's y parts of a row, to which elements are dealt 32 at a time; with
// ROUND 1, of the parts, which also empties the row's list of top.comp. The index is width if
// an element is positive infinity or not a number. Grid: x = outputs.
#include "include/types.glsl"
#include "include/largest.glsl"
layout(constant_id = 1) const uint ROUND = 0;

layout(push_constant, scalar) uniform Push {
  Floats x;       // [outputs, width]
  Floats largest; // [outputs, parts]
  Words indexes;  // [outputs, parts]
  Words result;   // [outputs]
  Words choice;   // [outputs], the same
  Words top;      // [outputs, topWords]
  uint width;
  uint parts;
  uint topWords;
};

void main() {
  uint o = gl_WorkGroupID.x;
  uint id = gl_LocalInvocationID.x;
  uint part = gl_WorkGroupID.y;
  uint end = ROUND == 0 ? (width + 32 * parts - 1) / (32 * parts) * 32 : parts;
  float best = 0;
  uint index = NONE;
  for (uint i = id; i < end; i += gl_WorkGroupSize.x) {
    uint at = ROUND == 0 ? (i / 32 * parts + part) * 32 + i % 32 : indexes.v[o * parts + i];
    if (ROUND == 0 && at >= width) break;
    float value = ROUND == 0 ? x.v[o * width + at] : largest.v[o * parts + i];
    // By its bits: compilers may take it that there are no such numbers.
    uint bits = floatBitsToUint(value);
    if (ROUND == 0 && (bits & 0x7F800000u) == 0x7F800000u && bits != 0xFF800000u) {
      value = uintBitsToFloat(0x7F800000u);
      at = width;
    }
    if (at != NONE && larger(value, at, best, index)) {
      best = value;
      index = at;
    }
  }
  uint whole = workgroupLargest(best, index);
  if (id == 0 && ROUND == 0) {
    largest.v[o * parts + part] = largestValue[0];
    indexes.v[o * parts + part] = whole;
  }
  if (id == 0 && ROUND == 1) {
    result.v[o] = whole;
    choice.v[o] = whole;
    top.v[o * topWords] = 0;
  }
}
