#version 450
// A token for each row that is to draw one, from the list of its largest logits (top.comp): of the top-k of them the
// most probable until their sum reaches top-p, of these the ones at least min-p times as probable as the first, each
// with weight exp(logit / temperature); the one at which the running sum passes the random number times the whole.
// Sampler.java draws the same way, in float64, and drops what was done with another token: with the sums in float32
// about one draw in 10^5 differs. A row that draws nothing, or whose list overflowed, keeps its largest.
// Grid: x = outputs; ROOM invocations.
#include "include/types.glsl"
layout(constant_id = 1) const uint MOST = 64; // of a top-k

layout(push_constant, scalar) uniform Push {
  Words top;     // [outputs, 1 + 2 * ROOM]
  Words draws;   // [outputs][temperature, top-k, top-p, min-p, random number]
  Words choice;  // [outputs]
};

shared float value[gl_WorkGroupSize.x];
shared uint token[gl_WorkGroupSize.x];
shared float best[MOST];
shared uint bestToken[MOST];
shared float weight[MOST]; // at temperature 1
shared float drawn[MOST];  // at the row's

// The number of the chosen one of the `count` best, by one invocation.
uint choose(uint count, float topP, float minP, float u) {
  float total = 0;
  for (uint i = 0; i < count; i++) total += weight[i];
  float sum = 0;
  uint kept = 0;
  do sum += weight[kept++]; while (kept < count && (topP >= 1 || sum < topP * total));
  while (kept > 1 && weight[kept - 1] < minP) kept--; // the first one's weight is 1
  float whole = 0;
  for (uint i = 0; i < kept; i++) whole += drawn[i];
  float left = u * whole;
  uint i = 0;
  while (i < kept - 1 && left >= drawn[i]) left -= drawn[i++];
  return i;
}

void main() {
  uint room = gl_WorkGroupSize.x;
  uint o = gl_WorkGroupID.x;
  uint id = gl_LocalInvocationID.x;
  uint list = o * (1 + 2 * room);
  uint found = top.v[list];
  float temperature = uintBitsToFloat(draws.v[5 * o]);
  if (temperature == 0 || found == 0 || found > room) return; // the same for the whole workgroup
  bool there = id < found;
  value[id] = there ? uintBitsToFloat(top.v[list + 1 + 2 * id]) : 0;
  token[id] = there ? top.v[list + 2 + 2 * id] : 0;
  barrier();
  uint before = 0;
  for (uint i = 0; i < found; i++) {
    if (value[i] > value[id] || (value[i] == value[id] && token[i] < token[id])) before++;
  }
  uint count = min(min(draws.v[5 * o + 1], MOST), found);
  if (there && before < count) {
    best[before] = value[id];
    bestToken[before] = token[id];
  }
  barrier();
  if (id < count) {
    weight[id] = exp(best[id] - best[0]);
    drawn[id] = exp((best[id] - best[0]) / temperature);
  }
  barrier();
  if (id == 0) {
    float topP = uintBitsToFloat(draws.v[5 * o + 2]);
    float minP = uintBitsToFloat(draws.v[5 * o + 3]);
    choice.v[o] = bestToken[choose(count, topP, minP, uintBitsToFloat(draws.v[5 * o + 4]))];
  }
}
