#version 450
// out[t] = [id_0 .. id_(k-1), w_0 .. w_(k-1)]: the k largest logits by falling value (the lower id
// among equals), and the softmax over them; both routings of graph.Op come to that, since the sum
// over all experts cancels. Grid: x * z = n.
#include "include/types.glsl"
#include "include/largest.glsl"

layout(push_constant, scalar) uniform Push {
  Floats logits; // [n, experts]
  Floats result; // [n, 2 k]
  uint n;
  uint experts;
  uint k;
};

shared uint chosen[64];

bool taken(uint e, uint count) {
  for (uint j = 0; j < count; j++) {
    if (chosen[j] == e) return true;
  }
  return false;
}

void main() {
  uint t = workgroup();
  if (t >= n) return;
  uint id = gl_LocalInvocationID.x;
  for (uint j = 0; j < k; j++) {
    float best = 0;
    uint index = NONE;
    for (uint e = id; e < experts; e += gl_WorkGroupSize.x) {
      float value = logits.v[t * experts + e];
      if (!taken(e, j) && larger(value, e, best, index)) {
        best = value;
        index = e;
      }
    }
    uint whole = workgroupLargest(best, index);
    if (id == 0) chosen[j] = whole;
    barrier();
  }
  if (id == 0) {
    float top = logits.v[t * experts + chosen[0]];
    float sum = 0;
    // min: lavapipe 26 does loads from one address for all lanes once more when none is left in the loop.
    for (uint j = 0; j < k; j++) sum += exp(logits.v[t * experts + min(chosen[j], experts - 1)] - top);
    for (uint j = 0; j < k; j++) {
      result.v[2 * k * t + j] = float(chosen[j]);
      result.v[2 * k * t + k + j] = exp(logits.v[t * experts + min(chosen[j], experts - 1)] - top) / sum;
    }
  }
}
