#version 450
// What lies between the products of Q, K and V and attention, for each head by 32 lanes: norms of the
// heads of Q and K (Q_NORM, K_NORM), their rotation, and K and V into their slots. Grid: x * z =
// ceil(n * (headCount + 2 * headCountKv) / 8); heads of a row: Q, then K, then V.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/kv.glsl"
#include "include/turns.glsl"
#include "include/chain.glsl"
layout(constant_id = 1) const uint Q8 = 0;
layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint NEOX = 0;
layout(constant_id = 5) const uint DIMS = 64;
layout(constant_id = 6) const uint Q_NORM = 0;
layout(constant_id = 7) const uint K_NORM = 0;
layout(constant_id = 8) const uint HEAD_COUNT = 1;
layout(constant_id = 9) const uint HEAD_COUNT_KV = 1;
layout(constant_id = 10) const float EPS = 0;
layout(constant_id = 11) const float MAGNITUDE = 1;

layout(push_constant, scalar) uniform Push {
  LiveFloats q;
  LiveFloats k;
  LiveFloats v;
  uvec2 qWeight;  // Floats [KEY_DIM]
  uvec2 kWeight;
  LiveFloats result; // q, rotated
  Words turns;    // [DIMS / 2][high, low]
  uvec2 keys;     // q8_0: scales scaleUnits of 16 bytes further on
  uvec2 values;
  StepRows rows;
  uint n;
  uint keyScales;
  uint valueScales;
  Link link;
};

shared float staged[8 * (KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM)];
#include "include/heads.glsl"

void main() {
  const uint perRow = HEAD_COUNT + 2 * HEAD_COUNT_KV;
  uint id = invocation();
  uint lane = id % LANES;
  uint item = min(workgroup() * 8 + id / LANES, n * perRow - 1);
  uint row = item / perRow;
  uint head = item % perRow;
  bool isQ = head < HEAD_COUNT;
  bool isV = head >= HEAD_COUNT + HEAD_COUNT_KV;
  if (!isQ) head -= isV ? HEAD_COUNT + HEAD_COUNT_KV : HEAD_COUNT;
  uint dim = isV ? VALUE_DIM : KEY_DIM;
  uint p = rows.positions.v[row];
  vec2 turn[EACH];
  turnsAt(turn, turns, p, lane);
  awaitLink(link);
  float x[EACH];
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    x[j] = 0;
    if (e < dim) {
      if (isQ) x[j] = q.v[(row * HEAD_COUNT + head) * KEY_DIM + e];
      else if (isV) x[j] = v.v[(row * HEAD_COUNT_KV + head) * VALUE_DIM + e];
      else x[j] = k.v[(row * HEAD_COUNT_KV + head) * KEY_DIM + e];
    }
  }
  if (Q_NORM + K_NORM > 0) normHead(x, isQ ? Q_NORM > 0 : !isV && K_NORM > 0, Floats(isQ ? qWeight : kWeight), lane);
  rotateHead(x, turn, !isV, id / LANES * DIM, lane);
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (isQ && e < dim) result.v[(row * HEAD_COUNT + head) * KEY_DIM + e] = x[j];
  }
  // Every lane goes through storeHead, whose maxima need all of them; Q stores nothing.
  uint at = (slot(rows, row, p) * HEAD_COUNT_KV + (isQ ? 0 : head)) * dim;
  storeHead(x, isV ? values : keys, further(isV ? values : keys, isV ? valueScales : keyScales), at, dim, !isQ, lane);
  finishLink(link);
}
