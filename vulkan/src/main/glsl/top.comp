#version 450
// The elements of each row of x that are at least t, with their indexes, in any order. t is the
// LEAST-th largest of the largest elements of the row's parts (argmax.comp, ROUND 0): as these are
// elements themselves, the LEAST largest elements of the row are all among those found. Elements are
// dealt to the parts in turn, so that few more are found: about 74 for 64 of 256 parts where the
// largest lie at random. Grid: x = outputs, y = pieces of a row.
#include "include/types.glsl"
#include "include/largest.glsl"
layout(constant_id = 1) const uint LEAST = 1;
layout(constant_id = 2) const uint ROOM = 1;

layout(push_constant, scalar) uniform Push {
  Floats x;       // [outputs, width]
  Floats largest; // [outputs, parts]
  Words indexes;  // [outputs, parts]
  Words top;      // [outputs, 1 + 2 * ROOM]: how many were found, then the bits and the index of each
  uint width;
  uint parts;     // as many as invocations
};

shared float threshold;

void main() {
  const float NOTHING = uintBitsToFloat(0xFF800000u);
  uint o = gl_WorkGroupID.x;
  uint id = gl_LocalInvocationID.x;
  largestValue[id] = largest.v[o * parts + id];
  largestIndex[id] = indexes.v[o * parts + id];
  if (id == 0) threshold = NOTHING; // fewer parts than LEAST have elements: all are wanted
  barrier();
  uint before = 0;
  for (uint p = 0; p < parts; p++) {
    if (larger(largestValue[p], largestIndex[p], largestValue[id], largestIndex[id])) before++;
  }
  if (before == LEAST - 1) threshold = largestValue[id];
  barrier();
  float t = threshold;
  uint at = o * (1 + 2 * ROOM);
  uint each = (width + gl_NumWorkGroups.y - 1) / gl_NumWorkGroups.y;
  uint from = gl_WorkGroupID.y * each;
  uint end = min(from + each, width);
  for (uint i = from + id; i < end; i += gl_WorkGroupSize.x) {
    float value = x.v[o * width + i];
    if (value >= t && value > NOTHING) {
      uint slot = atomicAdd(top.v[at], 1);
      if (slot < ROOM) {
        top.v[at + 1 + 2 * slot] = floatBitsToUint(value);
        top.v[at + 2 + 2 * slot] = i;
      }
    }
  }
}
