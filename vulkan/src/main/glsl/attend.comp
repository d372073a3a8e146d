#version 450
// Causal attention over a paged KV cache for few tokens (Dao et al. 2022; split over the KV length:
// flash-decoding, Dao et al. 2023). A workgroup takes HEADS query heads that share a KV head, of one
// row, and one part of the positions; the last workgroup of a row and its heads to finish combines the
// parts. How positions are cut into parts depends on the row's own length alone.
// Grid: x = headCount / HEADS, y = n, z = PARTS; 256 invocations. Scores and sums in float32. QUANTIZE:
// the result as int8 (include/quantized.glsl).
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/chain.glsl"
#define LIVE_KV
#include "include/kv.glsl"
#include "include/quantized.glsl"
#include "include/store_block.glsl"

layout(constant_id = 1) const uint Q8 = 0;
layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint HAS_SINKS = 0;
layout(constant_id = 5) const uint HEADS = 1;
layout(constant_id = 6) const uint QUANTIZE = 0;
layout(constant_id = 7) const uint PARTS = 32;
layout(constant_id = 8) const uint HEAD_COUNT = 1;
layout(constant_id = 9) const uint HEAD_COUNT_KV = 1;

layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Partials { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Counters { uint v[]; };

layout(push_constant, scalar) uniform Push {
  LiveVecs q;    // [n, headCount, KEY_DIM]
  LiveFloats result; // [n, headCount, VALUE_DIM]; or quants
  LivePairs blocks; // of quants
  Floats sinks;  // [headCount]
  uvec2 keys;
  uvec2 values;
  uint keyScales;   // units of 16 bytes from keys on, q8_0 only
  uint valueScales;
  Partials partials; // [n, headCount, PARTS, VALUE_DIM + 2]
  Counters counters; // [n, headCount / HEADS], zero
  StepRows rows;
  uint window;
  float scale;
  float softCap;
  Link link;
};

const uint GROUP = 256;
const uint LEAST_PART = 64;          // positions
const uint TILE = 64;                // positions at a time
const uint THREADS_A_KEY = 8;        // invocations that score a position
const uint KEY_RUNS = (KEY_DIM / 8 + THREADS_A_KEY - 1) / THREADS_A_KEY;
const uint COLUMNS = VALUE_DIM / 8;  // invocations across a value
// Positions summed side by side; FOLDED of them meet within a subgroup before shared memory.
const bool POWER = (COLUMNS & (COLUMNS - 1)) == 0;
const uint FOLDED = POWER ? (SUBGROUP > COLUMNS ? SUBGROUP / COLUMNS : 1) : 1;
const uint MOST = FOLDED > 1 ? 16 : 8;
const uint SLICES = GROUP / COLUMNS < MOST ? GROUP / COLUMNS : MOST;
const uint STORED = SLICES / FOLDED;
const float NONE = -1.0 / 0.0;

shared float score[HEADS * TILE];
shared uint slots[TILE];
shared float top[HEADS];
shared float total[HEADS];
shared float keep[HEADS];
shared vec4 sums[HEADS * STORED * COLUMNS * 2];
shared float finished[HEADS * VALUE_DIM]; // of one part alone
shared float partTop[HEADS * PARTS];
shared float partTotal[HEADS * PARTS];
shared uint arrived;

// Sums of the parts, rescaled to a common maximum, sinks included; or what one part alone finished.
void finish(uint row, uint head0, uint parts) {
  uint id = invocation();
  if (parts > 1) {
    for (uint i = id; i < HEADS * PARTS; i += GROUP) {
      uint at = ((row * HEAD_COUNT + head0 + i / PARTS) * PARTS + i % PARTS) * (VALUE_DIM + 2) + VALUE_DIM;
      partTop[i] = i % PARTS < parts ? partials.v[at] : NONE;
      partTotal[i] = i % PARTS < parts ? partials.v[at + 1] : 0;
    }
    barrier();
  }
  for (uint base = 0; base < HEADS * VALUE_DIM; base += GROUP) {
    uint i = base + id;
    uint h = min(i / VALUE_DIM, HEADS - 1);
    float y = 0;
    if (parts > 1) {
      uint at = ((row * HEAD_COUNT + head0 + h) * PARTS) * (VALUE_DIM + 2) + i % VALUE_DIM;
      float values[PARTS];
      [[unroll]] for (uint p = 0; p < PARTS; p++) values[p] = p < parts ? partials.v[at + p * (VALUE_DIM + 2)] : 0;
      float best = HAS_SINKS > 0 ? sinks.v[head0 + h] : NONE;
      [[unroll]] for (uint p = 0; p < PARTS; p++) best = max(best, partTop[h * PARTS + p]);
      float all = HAS_SINKS > 0 ? exp(sinks.v[head0 + h] - best) : 0;
      [[unroll]] for (uint p = 0; p < PARTS; p++) {
        float factor = exp(partTop[h * PARTS + p] - best);
        all += partTotal[h * PARTS + p] * factor;
        y += values[p] * factor;
      }
      y /= all;
    } else {
      y = i < HEADS * VALUE_DIM ? finished[i] : 0;
    }
    uint to = row * HEAD_COUNT * VALUE_DIM + head0 * VALUE_DIM + i;
    if (QUANTIZE == 0) {
      if (i < HEADS * VALUE_DIM) result.v[to] = y;
    } else {
      storeBlock(LiveBytes(result), blocks, to, y, i < HEADS * VALUE_DIM);
    }
  }
}

void main() {
  uint row = gl_WorkGroupID.y;
  uint head0 = gl_WorkGroupID.x * HEADS;
  uint part = gl_WorkGroupID.z;
  uint id = invocation();
  uint kvHead = head0 / (HEAD_COUNT / HEAD_COUNT_KV);
  uint last = rows.positions.v[row];
  uint sequence = rows.sequences.v[row];
  uint first = window == 0 || last < window ? 0 : last - window + 1;
  uint length = last - first + 1;
  uint each = max(LEAST_PART, ((length + PARTS - 1) / PARTS + TILE - 1) / TILE * TILE);
  uint parts = (length + each - 1) / each;
  if (part >= parts) {
    finishLink(link);
    return;
  }
  uint from = first + part * each;
  uint end = min(from + each, last + 1);
  uvec2 keyD = further(keys, keyScales);
  uvec2 valueD = further(values, valueScales);

  awaitLink(link);
  uint keyLane = id % THREADS_A_KEY;
  vec4 qs[HEADS][2 * KEY_RUNS];
  [[unroll]] for (uint h = 0; h < HEADS; h++) {
    [[unroll]] for (uint j = 0; j < KEY_RUNS; j++) {
      uint run = keyLane + j * THREADS_A_KEY;
      uint at = ((row * HEAD_COUNT + head0 + h) * KEY_DIM) / 4 + run * 2;
      bool there = run < KEY_DIM / 8;
      qs[h][2 * j] = there ? q.v[at] : vec4(0);
      qs[h][2 * j + 1] = there ? q.v[at + 1] : vec4(0);
    }
  }
  if (id < HEADS) {
    top[id] = NONE;
    total[id] = 0;
  }
  uint column = id % COLUMNS;
  uint slice = id / COLUMNS;
  vec4 low[HEADS];
  vec4 high[HEADS];
  [[unroll]] for (uint h = 0; h < HEADS; h++) {
    low[h] = vec4(0);
    high[h] = vec4(0);
  }
  for (uint p0 = from; p0 < end; p0 += TILE) {
    uint count = min(TILE, end - p0);
    barrier();
    if (id < TILE) slots[id] = slotOf(rows, sequence, min(p0 + id, end - 1)) * HEAD_COUNT_KV + kvHead;
    barrier();
    // Values are under way while keys are scored.
    const uint OWN = (TILE + SLICES - 1) / SLICES;
    Kv8 values_[OWN];
    [[unroll]] for (uint j = 0; j < OWN; j++) {
      uint i = min(slice + j * SLICES, count - 1);
      values_[j] = kv8(values, valueD, slots[i] * VALUE_DIM + column * 8, Q8);
    }
    [[unroll]] for (uint j = 0; j < TILE * THREADS_A_KEY / GROUP; j++) {
      uint i = id / THREADS_A_KEY + j * (GROUP / THREADS_A_KEY);
      float s[HEADS];
      [[unroll]] for (uint h = 0; h < HEADS; h++) s[h] = 0;
      [[unroll]] for (uint r = 0; r < KEY_RUNS; r++) {
        uint run = keyLane + r * THREADS_A_KEY;
        if (run < KEY_DIM / 8) {
          Kv8 key = kv8(keys, keyD, slots[i] * KEY_DIM + run * 8, Q8);
          vec4 a = low4(key, Q8);
          vec4 b = high4(key, Q8);
          [[unroll]] for (uint h = 0; h < HEADS; h++) s[h] += dot(qs[h][2 * r], a) + dot(qs[h][2 * r + 1], b);
        }
      }
      [[unroll]] for (uint h = 0; h < HEADS; h++) {
        [[unroll]] for (uint m = 1; m < THREADS_A_KEY; m *= 2) s[h] += subgroupShuffleXor(s[h], m);
        float y = s[h] * scale;
        if (softCap > 0) y = softCap * tanhOf(y / softCap);
        if (keyLane == 0) score[h * TILE + i] = i < count ? y : NONE;
      }
    }
    barrier();
    // 32 lanes a head; all lanes take part in the reductions.
    for (uint h0 = 0; h0 < HEADS; h0 += GROUP / LANES) {
      uint h = min(h0 + id / LANES, HEADS - 1);
      bool mine = h0 + id / LANES < HEADS;
      uint lane = id % LANES;
      float a = score[h * TILE + lane];
      float b = score[h * TILE + lane + LANES];
      float before = top[h];
      float best = max(before, lanesMax(max(a, b)));
      a = exp(a - best);
      b = exp(b - best);
      float sum = lanesSum(a + b);
      if (SUBGROUP < LANES) barrier();
      if (mine) {
        score[h * TILE + lane] = a;
        score[h * TILE + lane + LANES] = b;
        if (lane == 0) {
          keep[h] = exp(before - best);
          total[h] = total[h] * exp(before - best) + sum;
          top[h] = best;
        }
      }
    }
    barrier();
    [[unroll]] for (uint h = 0; h < HEADS; h++) {
      low[h] *= keep[h];
      high[h] *= keep[h];
    }
    if (slice < SLICES) {
      [[unroll]] for (uint j = 0; j < OWN; j++) {
        uint i = slice + j * SLICES;
        if (i < count) {
          vec4 a = low4(values_[j], Q8);
          vec4 b = high4(values_[j], Q8);
          [[unroll]] for (uint h = 0; h < HEADS; h++) {
            low[h] += score[h * TILE + i] * a;
            high[h] += score[h * TILE + i] * b;
          }
        }
      }
    }
  }
  // The slices of each head together; one part alone needs no partials.
  bool alone = parts == 1;
  [[unroll]] for (uint h = 0; h < HEADS; h++) {
    [[unroll]] for (uint m = COLUMNS; m < COLUMNS * FOLDED; m *= 2) {
      [[unroll]] for (uint c = 0; c < 4; c++) {
        low[h][c] += subgroupShuffleXor(low[h][c], m);
        high[h][c] += subgroupShuffleXor(high[h][c], m);
      }
    }
    if (slice < SLICES && slice % FOLDED == 0) {
      uint at = (h * STORED + slice / FOLDED) * COLUMNS * 2 + 2 * column;
      sums[at] = low[h];
      sums[at + 1] = high[h];
    }
  }
  barrier();
  for (uint i = id; i < HEADS * 2 * COLUMNS; i += GROUP) {
    uint h = i / (2 * COLUMNS);
    uint c4 = i % (2 * COLUMNS);
    vec4 y = vec4(0);
    [[unroll]] for (uint s = 0; s < STORED; s++) y += sums[(h * STORED + s) * COLUMNS * 2 + c4];
    uint at = (row * HEAD_COUNT + head0 + h) * PARTS * (VALUE_DIM + 2) + part * (VALUE_DIM + 2);
    if (alone) {
      float best = HAS_SINKS > 0 ? max(top[h], sinks.v[head0 + h]) : top[h];
      float all = total[h] * exp(top[h] - best) + (HAS_SINKS > 0 ? exp(sinks.v[head0 + h] - best) : 0);
      y *= exp(top[h] - best) / all;
      [[unroll]] for (uint c = 0; c < 4; c++) finished[h * VALUE_DIM + 4 * c4 + c] = y[c];
    } else {
      [[unroll]] for (uint c = 0; c < 4; c++) partials.v[at + 4 * c4 + c] = y[c];
      if (c4 == 0) {
        partials.v[at + VALUE_DIM] = top[h];
        partials.v[at + VALUE_DIM + 1] = total[h];
      }
    }
  }
  if (alone) {
    barrier();
    finish(row, head0, 1);
    finishLink(link);
    return;
  }
  uint counter = row * (HEAD_COUNT / HEADS) + gl_WorkGroupID.x;
  barrier();
  if (id == 0) {
    memoryBarrierBuffer();
    arrived = atomicAdd(counters.v[counter], 1);
    memoryBarrierBuffer();
  }
  barrier();
  if (arrived == parts - 1) {
    if (id == 0) counters.v[counter] = 0;
    finish(row, head0, parts);
  }
  finishLink(link);
}
