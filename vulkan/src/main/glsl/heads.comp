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
  uvec2 q; // LiveVecs
  uvec2 k;
  uvec2 v;
  uvec2 qWeight; // Vecs [KEY_DIM / 4]
  uvec2 kWeight;
  LiveVecs result; // q, rotated
  Words turns;    // [DIMS / 2][high, low]
  uvec2 keys;     // q8_0: scales scaleUnits of 16 bytes further on
  uvec2 values;
  StepRows rows;
  uint n;
  uint keyScales;
  uint valueScales;
  Link link;
};

shared vec4 staged[2 * (KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM)];
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
  uint from = (row * (isQ ? HEAD_COUNT : HEAD_COUNT_KV) + head) * dim;
  uint p = rows.positions.v[row];
  Turn turn[EACH];
  turnsAt(turn, turns, p, lane);
  awaitLink(link);
  vec4 x[EACH];
  loadHead(x, LiveVecs(isQ ? q : isV ? v : k), from, dim, lane);
  if (Q_NORM + K_NORM > 0) normHead(x, isQ ? Q_NORM > 0 : !isV && K_NORM > 0, Vecs(isQ ? qWeight : kWeight), lane);
  rotateHead(x, turn, !isV, id / LANES * (DIM / 4), lane);
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint i = lane + j * LANES;
    if (isQ && i < dim / 4) result.v[from / 4 + i] = x[j];
  }
  // Every lane goes through storeHead, whose maxima need all of them; Q stores nothing.
  uint at = (slot(rows, row, p) * HEAD_COUNT_KV + (isQ ? 0 : head)) * dim;
  storeHead(x, isV ? values : keys, further(isV ? values : keys, isV ? valueScales : keyScales), at, dim, !isQ, lane);
  finishLink(link);
}
