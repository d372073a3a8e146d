#version 450
// Causal attention over a paged KV cache for the many tokens of prompts (Dao et al. 2022): a workgroup
// takes QUERIES rows of one sequence and one query head, POSITIONS positions at a time through shared
// memory. Grid: x = headCount, y = tiles of the step; 256 invocations. Scores and sums in float32.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/kv.glsl"

layout(constant_id = 1) const uint Q8 = 0;
layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint HAS_SINKS = 0;
layout(constant_id = 5) const uint QUERIES = 32;
layout(constant_id = 6) const uint POSITIONS = 32;

layout(push_constant, scalar) uniform Push {
  Vecs q;        // [n, headCount, KEY_DIM]
  Vecs result;   // [n, headCount, VALUE_DIM]
  Floats sinks;  // [headCount]
  Words tiles;   // [tiles][first row, rows]
  uvec2 keys;
  uvec2 values;
  uint keyScales;
  uint valueScales;
  StepRows rows;
  uint headCount;
  uint headCountKv;
  uint window;
  float scale;
  float softCap;
};

const uint GROUP = 256;
const uint DIM = KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM;
const uint PAD = DIM / 8 + 1;                     // 16-byte words of a staged row of K or V
const uint ROWS_A_SCORE = QUERIES / 16;           // scores of an invocation: these many rows ...
const uint POSITIONS_A_SCORE = POSITIONS / 16;    // ... at these many positions
const float NONE = -1.0 / 0.0;

shared vec4 qs[QUERIES * (KEY_DIM / 4 + 1)];
shared uvec4 staged[POSITIONS * PAD];
shared float score[QUERIES * (POSITIONS + 1)];

// Rows of POSITIONS positions of K or V as float16.
void stage(uvec2 data, uvec2 scales, uint dim, uint sequence, uint kvHead, uint p0, uint end) {
  for (uint i = invocation(); i < POSITIONS * (dim / 8); i += GROUP) {
    uint p = p0 + i / (dim / 8);
    uvec4 bits = uvec4(0);
    if (p < end) {
      uint at = (slotOf(rows, sequence, p) * headCountKv + kvHead) * dim + i % (dim / 8) * 8;
      Kv8 x = kv8(data, scales, at, Q8);
      bits = Q8 == 0 ? x.bits : uvec4(x.bits.xy, floatBitsToUint(x.d), 0);
    }
    staged[i / (dim / 8) * PAD + i % (dim / 8)] = bits;
  }
}

Kv8 stagedAt(uint i) {
  uvec4 bits = staged[i];
  return Q8 == 0 ? Kv8(bits, 1.0) : Kv8(bits, uintBitsToFloat(bits.z));
}

void main() {
  uint head = gl_WorkGroupID.x;
  uint row0 = tiles.v[2 * gl_WorkGroupID.y];
  uint count = tiles.v[2 * gl_WorkGroupID.y + 1];
  if (count == 0) return;
  uint id = invocation();
  uint kvHead = head / (headCount / headCountKv);
  uint sequence = rows.sequences.v[row0];
  uint firstLast = rows.positions.v[row0];
  uint end = rows.positions.v[row0 + count - 1] + 1;
  uint first = window == 0 || firstLast < window ? 0 : firstLast - window + 1;
  for (uint i = id; i < QUERIES * (KEY_DIM / 4); i += GROUP) {
    uint r = i / (KEY_DIM / 4);
    qs[r * (KEY_DIM / 4 + 1) + i % (KEY_DIM / 4)] =
        q.v[((row0 + min(r, count - 1)) * headCount + head) * (KEY_DIM / 4) + i % (KEY_DIM / 4)] * scale;
  }
  // For scores: rows sr, sr + 16, ... and positions sp, sp + 16, ... For sums: query `own`, runs of 4 values.
  uint sr = id / 16;
  uint sp = id % 16;
  const uint SHARERS = GROUP / QUERIES; // invocations of a query
  uint own = id / SHARERS;
  uint share = id % SHARERS;
  const uint RUNS = (VALUE_DIM / 8 + SHARERS - 1) / SHARERS;
  vec4 low[RUNS];
  vec4 high[RUNS];
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    low[j] = vec4(0);
    high[j] = vec4(0);
  }
  float top = HAS_SINKS > 0 ? sinks.v[head] : NONE;
  float total = HAS_SINKS > 0 ? 1 : 0;
  uint position[ROWS_A_SCORE];
  [[unroll]] for (uint j = 0; j < ROWS_A_SCORE; j++) position[j] = rows.positions.v[row0 + min(sr + 16 * j, count - 1)];
  for (uint p0 = first; p0 < end; p0 += POSITIONS) {
    barrier();
    stage(keys, further(keys, keyScales), KEY_DIM, sequence, kvHead, p0, end);
    barrier();
    float s[ROWS_A_SCORE][POSITIONS_A_SCORE];
    [[unroll]] for (uint j = 0; j < ROWS_A_SCORE; j++) {
      [[unroll]] for (uint k = 0; k < POSITIONS_A_SCORE; k++) s[j][k] = 0;
    }
    for (uint c = 0; c < KEY_DIM / 8; c++) {
      vec4 a[POSITIONS_A_SCORE];
      vec4 b[POSITIONS_A_SCORE];
      [[unroll]] for (uint k = 0; k < POSITIONS_A_SCORE; k++) {
        Kv8 x = stagedAt((sp + 16 * k) * PAD + c);
        a[k] = low4(x, Q8);
        b[k] = high4(x, Q8);
      }
      [[unroll]] for (uint j = 0; j < ROWS_A_SCORE; j++) {
        vec4 qa = qs[(sr + 16 * j) * (KEY_DIM / 4 + 1) + 2 * c];
        vec4 qb = qs[(sr + 16 * j) * (KEY_DIM / 4 + 1) + 2 * c + 1];
        [[unroll]] for (uint k = 0; k < POSITIONS_A_SCORE; k++) s[j][k] += dot(qa, a[k]) + dot(qb, b[k]);
      }
    }
    [[unroll]] for (uint j = 0; j < ROWS_A_SCORE; j++) {
      [[unroll]] for (uint k = 0; k < POSITIONS_A_SCORE; k++) {
        uint p = p0 + sp + 16 * k;
        float y = s[j][k];
        if (softCap > 0) y = softCap * tanhOf(y / softCap);
        bool seen = p <= position[j] && (window == 0 || position[j] - p < window);
        score[(sr + 16 * j) * (POSITIONS + 1) + sp + 16 * k] = seen ? y : NONE;
      }
    }
    barrier();
    stage(values, further(values, valueScales), VALUE_DIM, sequence, kvHead, p0, end);
    // The maximum and sum of a query's scores, by each invocation that sums for it.
    float best = top;
    for (uint i = 0; i < POSITIONS; i++) best = max(best, score[own * (POSITIONS + 1) + i]);
    float base = best == NONE ? 0 : best;
    float keep = exp(top - base);
    top = best;
    total *= keep;
    [[unroll]] for (uint j = 0; j < RUNS; j++) {
      low[j] *= keep;
      high[j] *= keep;
    }
    barrier();
    for (uint i = 0; i < POSITIONS; i++) {
      float w = exp(score[own * (POSITIONS + 1) + i] - base);
      total += w;
      [[unroll]] for (uint j = 0; j < RUNS; j++) {
        uint run = share + j * SHARERS;
        if (run < VALUE_DIM / 8) {
          Kv8 v = stagedAt(i * PAD + run);
          low[j] += w * low4(v, Q8);
          high[j] += w * high4(v, Q8);
        }
      }
    }
  }
  if (own < count) {
    [[unroll]] for (uint j = 0; j < RUNS; j++) {
      uint run = share + j * SHARERS;
      if (run < VALUE_DIM / 8) {
        uint at = ((row0 + own) * headCount + head) * (VALUE_DIM / 4) + 2 * run;
        result.v[at] = low[j] / total;
        result.v[at + 1] = high[j] / total;
      }
    }
  }
}
