#version 450
// What lies between the products of Q, K and V and attention, for each head by 32 lanes: norms of the
// heads of Q and K (Q_NORM, K_NORM), their rotation, and K and V into their slots. Grid: x * z =
// ceil(n * (headCount + 2 * headCountKv) / 8); heads of a row: Q, then K, then V.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/kv.glsl"
#include "include/turns.glsl"
layout(constant_id = 1) const uint Q8 = 0;
layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint NEOX = 0;
layout(constant_id = 5) const uint DIMS = 64;
layout(constant_id = 6) const uint Q_NORM = 0;
layout(constant_id = 7) const uint K_NORM = 0;

layout(push_constant, scalar) uniform Push {
  Floats q;
  Floats k;
  Floats v;
  Floats qWeight; // [KEY_DIM]
  Floats kWeight; // [KEY_DIM]
  Floats result;  // q, rotated
  Words turns;    // [DIMS / 2][high, low]
  uvec2 keys;     // q8_0: scales scaleUnits of 16 bytes further on
  uvec2 values;
  StepRows rows;
  uint counts;    // headCount | headCountKv << 16
  uint n;
  float eps;
  float magnitude;
  uint keyScales;
  uint valueScales;
};

const uint DIM = KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM;
const uint EACH = (DIM + LANES - 1) / LANES;
shared float staged[8 * DIM];

void storeElements(uvec2 data, uvec2 scales, uint at, uint dim, uint own, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    float x = e < dim ? staged[own + e] : 0;
    if (Q8 == 0) {
      if (e < dim) Halfs(data).v[at + e] = uint16_t(toHalf(x));
    } else {
      float largest = lanesMax(abs(x)); // lanes of run j hold a block of 32
      uint d = toHalf(largest / 127.0);
      float scale = f16(d);
      float level = scale == 0 ? 0 : roundEven(x / scale);
      if (e < dim) {
        Bytes(data).v[at + e] = uint8_t(uint(int(clamp(level, -127.0, 127.0))) & 0xFFu);
        if (lane == 0) Halfs(scales).v[(at + e) / 32] = uint16_t(d);
      }
    }
  }
}

void main() {
  uint headCount = counts & 0xFFFFu;
  uint headCountKv = counts >> 16;
  uint perRow = headCount + 2 * headCountKv;
  uint id = invocation();
  uint lane = id % LANES;
  uint item = min(workgroup() * 8 + id / LANES, n * perRow - 1);
  uint row = item / perRow;
  uint head = item % perRow;
  bool isQ = head < headCount;
  bool isV = head >= headCount + headCountKv;
  if (!isQ) head -= isV ? headCount + headCountKv : headCount;
  uint dim = isV ? VALUE_DIM : KEY_DIM;
  uint own = id / LANES * DIM;
  float x[EACH];
  float squares = 0;
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    x[j] = 0;
    if (e < dim) {
      if (isQ) x[j] = q.v[(row * headCount + head) * KEY_DIM + e];
      else if (isV) x[j] = v.v[(row * headCountKv + head) * VALUE_DIM + e];
      else x[j] = k.v[(row * headCountKv + head) * KEY_DIM + e];
    }
    squares += x[j] * x[j];
  }
  if (Q_NORM + K_NORM > 0) {
    float factor = 1.0 / sqrt(lanesSum(squares) / float(KEY_DIM) + eps);
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
  uint p = rows.positions.v[row];
  if (!isV) {
    [[unroll]] for (uint j = 0; j < EACH; j++) {
      uint e = lane + j * LANES;
      if (e < DIMS) {
        uint pair = NEOX > 0 ? e % (DIMS / 2) : e / 2;
        bool second = NEOX > 0 ? e >= DIMS / 2 : e % 2 == 1;
        uint distance = NEOX > 0 ? DIMS / 2 : 1;
        vec2 cs = rotation(turns, pair, p) * magnitude;
        x[j] = second ? staged[own + e - distance] * cs.y + staged[own + e] * cs.x
                      : staged[own + e] * cs.x - staged[own + e + distance] * cs.y;
      }
    }
  }
  barrier();
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (e < dim) {
      staged[own + e] = x[j];
      if (isQ) result.v[(row * headCount + head) * KEY_DIM + e] = x[j];
    }
  }
  if (SUBGROUP < LANES) barrier();
  if (isQ && Q8 == 0) return;
  uint at = (slot(rows, row, p) * headCountKv + head) * dim;
  // Every lane goes through storeElements with q8_0, whose maxima need all of them; Q stores nothing.
  storeElements(isV ? values : keys, further(isV ? values : keys, isV ? valueScales : keyScales), at, isQ ? 0 : dim, own, lane);
}
