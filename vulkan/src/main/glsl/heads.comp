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
  Floats qWeight; // [KEY_DIM]
  Floats kWeight; // [KEY_DIM]
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

const uint DIM = KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM;
const uint EACH = (DIM + LANES - 1) / LANES;
shared float staged[8 * DIM];

void storeElements(uvec2 data, uvec2 scales, uint at, uint dim, uint own, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    float x = e < dim ? staged[own + e] : 0;
    if (Q8 == 0) {
      if (e < dim) LiveHalfs(data).v[at + e] = uint16_t(toHalf(x));
    } else {
      float largest = lanesMax(abs(x)); // lanes of run j hold a block of 32
      uint d = toHalf(largest / 127.0);
      float scale = f16(d);
      float level = scale == 0 ? 0 : roundEven(x / scale);
      if (e < dim) {
        LiveBytes(data).v[at + e] = uint8_t(uint(int(clamp(level, -127.0, 127.0))) & 0xFFu);
        if (lane == 0) LiveHalfs(scales).v[(at + e) / 32] = uint16_t(d);
      }
    }
  }
}

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
  uint own = id / LANES * DIM;
  uint p = rows.positions.v[row];
  vec2 turn[EACH];
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (!isV && e < DIMS) turn[j] = rotation(turns, NEOX > 0 ? e % (DIMS / 2) : e / 2, p) * MAGNITUDE;
  }
  awaitLink(link);
  float x[EACH];
  float squares = 0;
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    x[j] = 0;
    if (e < dim) {
      if (isQ) x[j] = q.v[(row * HEAD_COUNT + head) * KEY_DIM + e];
      else if (isV) x[j] = v.v[(row * HEAD_COUNT_KV + head) * VALUE_DIM + e];
      else x[j] = k.v[(row * HEAD_COUNT_KV + head) * KEY_DIM + e];
    }
    squares += x[j] * x[j];
  }
  if (Q_NORM + K_NORM > 0) {
    float factor = 1.0 / sqrt(lanesSum(squares) / float(KEY_DIM) + EPS);
    bool normed = !isV && (isQ ? Q_NORM > 0 : K_NORM > 0);
    [[unroll]] for (uint j = 0; j < EACH; j++) {
      uint e = lane + j * LANES;
      if (normed && e < dim) x[j] *= factor * (isQ ? qWeight.v[e] : kWeight.v[e]);
    }
  }
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    if (lane + j * LANES < dim) staged[own + lane + j * LANES] = x[j];
  }
  barrier();
  if (!isV) {
    [[unroll]] for (uint j = 0; j < EACH; j++) {
      uint e = lane + j * LANES;
      if (e < DIMS) {
        bool second = NEOX > 0 ? e >= DIMS / 2 : e % 2 == 1;
        uint distance = NEOX > 0 ? DIMS / 2 : 1;
        x[j] = second ? staged[own + e - distance] * turn[j].y + staged[own + e] * turn[j].x
                      : staged[own + e] * turn[j].x - staged[own + e + distance] * turn[j].y;
      }
    }
  }
  barrier();
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (e < dim) {
      staged[own + e] = x[j];
      if (isQ) result.v[(row * HEAD_COUNT + head) * KEY_DIM + e] = x[j];
    }
  }
  if (SUBGROUP < LANES) barrier();
  uint at = (slot(rows, row, p) * HEAD_COUNT_KV + (isQ ? 0 : head)) * dim;
  // Every lane goes through storeElements with q8_0, whose maxima need all of them; Q stores nothing.
  storeElements(isV ? values : keys, further(isV ? values : keys, isV ? valueScales : keyScales), at, isQ ? 0 : dim, own, lane);
  finishLink(link);
}
