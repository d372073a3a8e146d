#version 450
// Causal attention over a paged KV cache for few tokens (Dao et al. 2022; split over the KV length:
// flash-decoding, Dao et al. 2023). A workgroup takes HEADS query heads that share a KV head, of one
// row, and one part of the positions; the last workgroup of a row and its heads to finish combines the
// parts. How positions are cut into parts depends on the row's own length alone.
// Grid: x = headCount / HEADS, y = n, z = parts of the longest row, at most PARTS; 256 invocations. Scores and sums in float32.
// FORM of the result: 0 float32; 1 int8 (include/quantized.glsl); 2 float16 in pieces (include/half.glsl), divided
// by a power of two that is the same for all rows: a mean of values that the cache holds is no larger than the
// largest of them, 65,504 or 127 times that, and to round it like them errs no more than they do.
// TOKENS > 0: for steps of up to that many tokens of a sequence, norms of heads, rotations and the KV store happen here too
// (include/heads.glsl). A workgroup makes the q of its heads, and those K and V of its KV head that the step
// brings to its positions, by itself: what it reads from the cache, earlier steps wrote, so that this can be
// under way before the products of Q, K and V have finished. The last part of a row stores its K and V.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/chain.glsl"
#include "include/kv.glsl"
#include "include/turns.glsl"
#include "include/quantized.glsl"
#include "include/store_block.glsl"

layout(constant_id = 1) const uint Q8 = 0;
layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint HAS_SINKS = 0;
layout(constant_id = 5) const uint HEADS = 1;
layout(constant_id = 6) const uint FORM = 0;
layout(constant_id = 7) const uint PARTS = 32;
layout(constant_id = 8) const uint HEAD_COUNT = 1;
layout(constant_id = 9) const uint HEAD_COUNT_KV = 1;
layout(constant_id = 10) const uint WINDOW = 0;
layout(constant_id = 11) const float SCALE = 1;
layout(constant_id = 12) const float SOFT_CAP = 0;
layout(constant_id = 13) const uint COUNTERS_AT = 0;
layout(constant_id = 14) const uint MAX_TOKENS = 1; // of a step: from one list of the step buffer to the next
layout(constant_id = 15) const uint TABLE_STRIDE = 1;
layout(constant_id = 16) const uint BLOCK_TOKENS = 16;
layout(constant_id = 17) const uint TOKENS = 0;
layout(constant_id = 18) const uint NEOX = 0;
layout(constant_id = 19) const uint DIMS = 64;
layout(constant_id = 20) const uint Q_NORM = 0;
layout(constant_id = 21) const uint K_NORM = 0;
layout(constant_id = 22) const float EPS = 0;
layout(constant_id = 23) const float MAGNITUDE = 1;
layout(constant_id = 24) const uint LEAST_PART = 64; // positions

layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Partials { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Counters { uint v[]; };

layout(push_constant, scalar) uniform Push {
  uvec2 q;       // [n, headCount, KEY_DIM]
  uvec2 k;       // [n, headCountKv, KEY_DIM]; this and the next four only with TOKENS
  uvec2 v;       // [n, headCountKv, VALUE_DIM]
  uvec2 qWeight; // [KEY_DIM]
  uvec2 kWeight;
  Words turns;   // [DIMS / 2][high, low]
  LiveFloats result; // [n, headCount, VALUE_DIM]; or quants; or pieces
  LivePairs blocks; // of quants; or powers [n]
  Floats sinks;  // [headCount]
  uvec2 keys;
  uvec2 values;
  uint keyScales;   // units of 16 bytes from keys on, q8_0 only
  uint valueScales;
  uvec2 scratch; // Partials [n, headCount, PARTS, VALUE_DIM + 2]; from COUNTERS_AT on Counters [n, headCount / HEADS], zero
  Words step;    // positions [MAX_TOKENS], sequences; from tableAt on the block tables of the KV group
  uint tableAt;
  Link link;
};

const uint GROUP = 256;
const uint TILE = 64;                // positions at a time
const uint THREADS_A_KEY = 8;        // invocations that score a position
const uint KEY_RUNS = (KEY_DIM / 8 + THREADS_A_KEY - 1) / THREADS_A_KEY;
const uint KEY_ROUNDS = TILE * THREADS_A_KEY / GROUP;
const uint COLUMNS = VALUE_DIM / 8;  // invocations across a value
// Positions summed side by side; FOLDED of them meet within a subgroup before shared memory.
const bool POWER = (COLUMNS & (COLUMNS - 1)) == 0;
const uint FOLDED = POWER ? (SUBGROUP > COLUMNS ? SUBGROUP / COLUMNS : 1) : 1;
const uint MOST = FOLDED > 1 ? 16 : 8;
const uint SLICES = GROUP / COLUMNS < MOST ? GROUP / COLUMNS : MOST;
const uint STORED = SLICES / FOLDED;
const uint OWN = (TILE + SLICES - 1) / SLICES;
const uint MADE = GROUP / LANES;     // heads that are made side by side
const float NONE = -1.0 / 0.0;

const uint SUMS = HEADS * STORED * COLUMNS * 2;
const uint STAGED = TOKENS > 0 ? MADE * (KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM) / 4 : 1;
const uint NEW = TOKENS > 0 ? TOKENS : 1;

shared float score[2 * HEADS * TILE]; // of this tile and the one before
shared float top[HEADS];
shared float total[HEADS];
shared float keep[HEADS];
shared vec4 pool[SUMS > STAGED ? SUMS : STAGED]; // sums of slices; before, heads that are being made
shared float finished[HEADS * VALUE_DIM]; // of one part alone
shared float partTop[HEADS * PARTS];
shared float partTotal[HEADS * PARTS];
shared uint arrived;
shared vec4 queries[TOKENS > 0 ? HEADS * KEY_DIM / 4 : 1];
shared vec4 newKeys[TOKENS > 0 ? NEW * KEY_DIM / 4 : 1]; // of the step, as the cache holds them
shared vec4 newValues[TOKENS > 0 ? NEW * VALUE_DIM / 4 : 1];

#define staged pool
#include "include/heads.glsl"

Partials partials() { return Partials(scratch); }

uint slotAt(uint sequence, uint position) {
  uint block = step.v[tableAt + sequence * TABLE_STRIDE + position / BLOCK_TOKENS];
  return block * BLOCK_TOKENS + position % BLOCK_TOKENS;
}

Kv8 cached(uvec2 data, uvec2 scales, uint i) {
  if (TOKENS > 0) return kv8(data, scales, i, Q8);
  return liveKv8(data, scales, i, Q8);
}

// Head `item` of what this workgroup makes: its query heads, then K and V of the row, the row before, ...
struct Item { bool isQ; bool isV; uint before; };

Item itemOf(uint item) {
  bool isQ = item < HEADS;
  uint other = isQ ? 0 : item - HEADS;
  return Item(isQ, !isQ && other % 2 > 0, other / 2);
}

// Makes `items` of them; the turns of the first MADE are there.
void makeHeads(uint row, uint head0, uint kvHead, uint sequence, uint items, bool stores, Turn turn[EACH]) {
  uint lane = invocation() % LANES;
  uint own = invocation() / LANES;
  for (uint base = 0; base < items; base += MADE) {
    bool there = base + own < items;
    uint number = min(base + own, items - 1);
    Item item = itemOf(number);
    uint dim = item.isV ? VALUE_DIM : KEY_DIM;
    uint from = item.isQ ? row * HEAD_COUNT + head0 + number : (row - item.before) * HEAD_COUNT_KV + kvHead;
    vec4 x[EACH];
    loadHead(x, LiveVecs(item.isQ ? q : item.isV ? v : k), from * dim, dim, lane);
    if (base > 0) turnsAt(turn, turns, step.v[row - item.before], lane);
    if (Q_NORM + K_NORM > 0) normHead(x, item.isQ ? Q_NORM > 0 : !item.isV && K_NORM > 0, Vecs(item.isQ ? qWeight : kWeight), lane);
    rotateHead(x, turn, !item.isV, own * (DIM / 4), lane);
    if (there && item.isQ) {
      [[unroll]] for (uint j = 0; j < EACH; j++) {
        uint i = lane + j * LANES;
        if (i < KEY_DIM / 4) queries[number * (KEY_DIM / 4) + i] = x[j];
      }
    }
    if (base + MADE > HEADS) {
      uint at = (slotAt(sequence, step.v[row]) * HEAD_COUNT_KV + kvHead) * dim;
      bool kept = there && !item.isQ && item.before == 0 && stores;
      storeHead(x, item.isV ? values : keys, further(item.isV ? values : keys, item.isV ? valueScales : keyScales), at, dim, kept, lane);
      [[unroll]] for (uint j = 0; j < EACH; j++) {
        uint i = lane + j * LANES;
        if (there && !item.isQ && i < dim / 4) {
          if (item.isV) newValues[item.before * (VALUE_DIM / 4) + i] = x[j];
          else newKeys[item.before * (KEY_DIM / 4) + i] = x[j];
        }
      }
    }
    barrier();
  }
}

// Whether the step itself brings position p: rows before this one; NEW if not.
uint rowsBefore(uint newAt[NEW], uint p) {
  uint result = NEW;
  if (TOKENS > 0) {
    [[unroll]] for (uint t = 0; t < NEW; t++) {
      if (newAt[t] == p) result = t;
    }
  }
  return result;
}

void storePieces(uint row, uint column, float y) {
  const float POWER = Q8 > 0 ? 128.0 : 1.0;
  uint piece = (row / 16 * (HEAD_COUNT * VALUE_DIM / 8) + column / 8) * 16 + row % 16;
  uint at = piece * 8 + column / 4 % 2 * 4 + column % 2 * 2 + column / 2 % 2;
  LiveHalfs(result).v[at] = uint16_t(toHalf(y / POWER));
  if (column == 0) LiveFloats(blocks).v[row] = POWER;
}

// Sums of the parts, rescaled to a common maximum, sinks included; or what one part alone finished.
void finish(uint row, uint head0, uint parts) {
  const uint ROUNDS = (HEADS * VALUE_DIM + GROUP - 1) / GROUP;
  uint id = invocation();
  float values_[ROUNDS * PARTS]; // all under way before anything waits
  if (parts > 1) {
    [[unroll]] for (uint r = 0; r < ROUNDS; r++) {
      uint i = min(r * GROUP + id, HEADS * VALUE_DIM - 1);
      uint at = (row * HEAD_COUNT + head0 + i / VALUE_DIM) * PARTS * (VALUE_DIM + 2) + i % VALUE_DIM;
      [[unroll]] for (uint p = 0; p < PARTS; p++) values_[r * PARTS + p] = p < parts ? partials().v[at + p * (VALUE_DIM + 2)] : 0;
    }
    for (uint i = id; i < HEADS * PARTS; i += GROUP) {
      uint at = ((row * HEAD_COUNT + head0 + i / PARTS) * PARTS + i % PARTS) * (VALUE_DIM + 2) + VALUE_DIM;
      partTop[i] = i % PARTS < parts ? partials().v[at] : NONE;
      partTotal[i] = i % PARTS < parts ? partials().v[at + 1] : 0;
    }
    barrier();
  }
  [[unroll]] for (uint r = 0; r < ROUNDS; r++) {
    uint i = r * GROUP + id;
    bool there = i < HEADS * VALUE_DIM;
    uint h = min(i / VALUE_DIM, HEADS - 1);
    float y = 0;
    if (parts > 1) {
      float best = HAS_SINKS > 0 ? sinks.v[head0 + h] : NONE;
      [[unroll]] for (uint p = 0; p < PARTS; p++) best = max(best, partTop[h * PARTS + p]);
      float all = HAS_SINKS > 0 ? exp(sinks.v[head0 + h] - best) : 0;
      [[unroll]] for (uint p = 0; p < PARTS; p++) {
        float factor = exp(partTop[h * PARTS + p] - best);
        all += partTotal[h * PARTS + p] * factor;
        y += values_[r * PARTS + p] * factor;
      }
      y /= all;
    } else {
      y = there ? finished[i] : 0;
    }
    uint to = (row * HEAD_COUNT + head0) * VALUE_DIM + i;
    if (FORM == 1) storeBlock(LiveBytes(result), blocks, to, y, there);
    else if (there && FORM == 2) storePieces(row, head0 * VALUE_DIM + i, y);
    else if (there) result.v[to] = y;
  }
}

void main() {
  uint row = gl_WorkGroupID.y;
  uint head0 = gl_WorkGroupID.x * HEADS;
  uint part = gl_WorkGroupID.z;
  uint id = invocation();
  uint kvHead = head0 / (HEAD_COUNT / HEAD_COUNT_KV);
  uint last = step.v[row];
  uint sequence = step.v[MAX_TOKENS + row];
  uint first = WINDOW == 0 || last < WINDOW ? 0 : last - WINDOW + 1;
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
  // Positions of this row and of those before it of its sequence; how many of its heads of K and V are made here.
  uint newAt[NEW];
  newAt[0] = last;
  bool isLast = part == parts - 1;
  uint made = isLast ? 1 : 0;
  [[unroll]] for (uint t = 1; t < NEW; t++) {
    newAt[t] = row >= t && step.v[MAX_TOKENS + row - t] == sequence ? step.v[row - t] : ~0u;
    if (newAt[t] >= from && newAt[t] < end) made = t + 1;
  }
  uint items = HEADS + 2 * made;
  Turn turn[EACH];

  uint keyLane = id % THREADS_A_KEY;
  uint column = id % COLUMNS;
  uint slice = id / COLUMNS;
  Kv8 keys_[KEY_ROUNDS * KEY_RUNS];
  Kv8 values_[OWN];
#define LOAD_KEYS(P0) \
  [[unroll]] for (uint j = 0; j < KEY_ROUNDS; j++) { \
    uint at = slotAt(sequence, min(P0 + id / THREADS_A_KEY + j * (GROUP / THREADS_A_KEY), end - 1)) * HEAD_COUNT_KV + kvHead; \
    [[unroll]] for (uint r = 0; r < KEY_RUNS; r++) { \
      keys_[j * KEY_RUNS + r] = cached(keys, keyD, at * KEY_DIM + min(keyLane + r * THREADS_A_KEY, KEY_DIM / 8 - 1) * 8); \
    } \
  }
#define LOAD_VALUES(P0) \
  [[unroll]] for (uint j = 0; j < OWN; j++) { \
    uint at = slotAt(sequence, min(P0 + slice + j * SLICES, end - 1)) * HEAD_COUNT_KV + kvHead; \
    values_[j] = cached(values, valueD, at * VALUE_DIM + column * 8); \
  }
  if (TOKENS > 0) {
    LOAD_KEYS(from)
    LOAD_VALUES(from)
    Item item = itemOf(min(id / LANES, items - 1));
    turnsAt(turn, turns, step.v[row - item.before], id % LANES);
  }
  awaitLink(link);
  if (TOKENS > 0) {
    makeHeads(row, head0, kvHead, sequence, items, isLast && head0 % (HEAD_COUNT / HEAD_COUNT_KV) == 0, turn);
  } else {
    LOAD_KEYS(from)
    LOAD_VALUES(from)
  }
  vec4 qs[HEADS][2 * KEY_RUNS];
  [[unroll]] for (uint h = 0; h < HEADS; h++) {
    [[unroll]] for (uint j = 0; j < KEY_RUNS; j++) {
      uint run = keyLane + j * THREADS_A_KEY;
      bool there = run < KEY_DIM / 8;
      if (TOKENS > 0) {
        uint at = h * (KEY_DIM / 4) + run * 2;
        qs[h][2 * j] = there ? queries[at] : vec4(0);
        qs[h][2 * j + 1] = there ? queries[at + 1] : vec4(0);
      } else {
        uint at = ((row * HEAD_COUNT + head0 + h) * KEY_DIM) / 4 + run * 2;
        qs[h][2 * j] = there ? LiveVecs(q).v[at] : vec4(0);
        qs[h][2 * j + 1] = there ? LiveVecs(q).v[at + 1] : vec4(0);
      }
    }
  }
  if (id < HEADS) {
    top[id] = NONE;
    total[id] = 0;
  }
  vec4 low[HEADS];
  vec4 high[HEADS];
  [[unroll]] for (uint h = 0; h < HEADS; h++) {
    low[h] = vec4(0);
    high[h] = vec4(0);
  }
  uint scores = 0;
  for (uint p0 = from; p0 < end; p0 += TILE) {
    uint count = min(TILE, end - p0);
    bool goesOn = p0 + TILE < end;
    [[unroll]] for (uint j = 0; j < KEY_ROUNDS; j++) {
      uint i = id / THREADS_A_KEY + j * (GROUP / THREADS_A_KEY);
      uint t = rowsBefore(newAt, p0 + i);
      float s[HEADS];
      [[unroll]] for (uint h = 0; h < HEADS; h++) s[h] = 0;
      [[unroll]] for (uint r = 0; r < KEY_RUNS; r++) {
        uint run = keyLane + r * THREADS_A_KEY;
        if (run < KEY_DIM / 8) {
          vec4 a = low4(keys_[j * KEY_RUNS + r], Q8);
          vec4 b = high4(keys_[j * KEY_RUNS + r], Q8);
          if (t < NEW) {
            a = newKeys[t * (KEY_DIM / 4) + run * 2];
            b = newKeys[t * (KEY_DIM / 4) + run * 2 + 1];
          }
          [[unroll]] for (uint h = 0; h < HEADS; h++) s[h] += dot(qs[h][2 * r], a) + dot(qs[h][2 * r + 1], b);
        }
      }
      [[unroll]] for (uint h = 0; h < HEADS; h++) {
        [[unroll]] for (uint m = 1; m < THREADS_A_KEY; m *= 2) s[h] += subgroupShuffleXor(s[h], m);
        float y = s[h] * SCALE;
        if (SOFT_CAP > 0) y = SOFT_CAP * tanhOf(y / SOFT_CAP);
        if (keyLane == 0) score[scores + h * TILE + i] = i < count ? y : NONE;
      }
    }
    // Keys of the next tile are under way from here on, its values from the end of this one.
    if (goesOn) {
      LOAD_KEYS(p0 + TILE)
    }
    barrier();
    // 32 lanes a head; all lanes take part in the reductions.
    for (uint h0 = 0; h0 < HEADS; h0 += GROUP / LANES) {
      uint h = min(h0 + id / LANES, HEADS - 1);
      bool mine = h0 + id / LANES < HEADS;
      uint lane = id % LANES;
      float a = score[scores + h * TILE + lane];
      float b = score[scores + h * TILE + lane + LANES];
      float before = top[h];
      float best = max(before, lanesMax(max(a, b)));
      a = exp(a - best);
      b = exp(b - best);
      float sum = lanesSum(a + b);
      if (SUBGROUP < LANES) barrier();
      if (mine) {
        score[scores + h * TILE + lane] = a;
        score[scores + h * TILE + lane + LANES] = b;
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
          uint t = rowsBefore(newAt, p0 + i);
          if (t < NEW) {
            a = newValues[t * (VALUE_DIM / 4) + column * 2];
            b = newValues[t * (VALUE_DIM / 4) + column * 2 + 1];
          }
          [[unroll]] for (uint h = 0; h < HEADS; h++) {
            low[h] += score[scores + h * TILE + i] * a;
            high[h] += score[scores + h * TILE + i] * b;
          }
        }
      }
    }
    if (goesOn) {
      LOAD_VALUES(p0 + TILE)
    }
    scores = HEADS * TILE - scores; // nobody waits for those who still read these
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
      pool[at] = low[h];
      pool[at + 1] = high[h];
    }
  }
  barrier();
  for (uint i = id; i < HEADS * 2 * COLUMNS; i += GROUP) {
    uint h = i / (2 * COLUMNS);
    uint c4 = i % (2 * COLUMNS);
    vec4 y = vec4(0);
    [[unroll]] for (uint s = 0; s < STORED; s++) y += pool[(h * STORED + s) * COLUMNS * 2 + c4];
    uint at = (row * HEAD_COUNT + head0 + h) * PARTS * (VALUE_DIM + 2) + part * (VALUE_DIM + 2);
    if (alone) {
      float best = HAS_SINKS > 0 ? max(top[h], sinks.v[head0 + h]) : top[h];
      float all = total[h] * exp(top[h] - best) + (HAS_SINKS > 0 ? exp(sinks.v[head0 + h] - best) : 0);
      y *= exp(top[h] - best) / all;
      [[unroll]] for (uint c = 0; c < 4; c++) finished[h * VALUE_DIM + 4 * c4 + c] = y[c];
    } else {
      [[unroll]] for (uint c = 0; c < 4; c++) partials().v[at + 4 * c4 + c] = y[c];
      if (c4 == 0) {
        partials().v[at + VALUE_DIM] = top[h];
        partials().v[at + VALUE_DIM + 1] = total[h];
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
    arrived = atomicAdd(Counters(scratch).v[COUNTERS_AT + counter], 1);
    memoryBarrierBuffer();
  }
  barrier();
  if (arrived == parts - 1) {
    if (id == 0) Counters(scratch).v[COUNTERS_AT + counter] = 0;
    finish(row, head0, parts);
  }
  finishLink(link);
}
