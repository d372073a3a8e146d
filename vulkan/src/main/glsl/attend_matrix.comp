#version 450
// Causal attention over a paged KV cache in float16 for the many tokens of prompts (Dao et al. 2022), in
// cooperative matrices: a workgroup takes 4 * TM rows of one sequence and one query head, each subgroup
// TM of them, and POSITIONS positions at a time through shared memory. Queries (divided by a power of
// two of their row) and weights are float16 in two terms, which together keep 22 bits; sums are float32.
// Macros: DIM (of keys and values), and LANES_USED, TM, TN, TK as in mul_mat_matrix.comp.
// Grid: x = headCount, y = tiles of the step; 4 * LANES_USED invocations.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/half.glsl"
#include "include/kv.glsl"

layout(constant_id = 1) const uint HAS_SINKS = 0;

layout(push_constant, scalar) uniform Push {
  Vecs q;        // [n, headCount, DIM]
  Vecs result;   // [n, headCount, DIM]
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

// Small matrices are many: with all their loops unrolled, compilers give up.
#ifdef KEEP_LOOPS
#define UNROLL [[dont_unroll]]
#else
#define UNROLL [[unroll]]
#endif

const uint SUBGROUPS = 4;
const uint GROUP = SUBGROUPS * LANES_USED;
const uint POSITIONS = 64;
const uint PAD = DIM / 8 + 1;       // 16-byte words of a staged row
const uint LOADS = POSITIONS * (DIM / 8) / GROUP;
const uint SHARE = LANES_USED / TM; // invocations of a row
const uint COUNT = POSITIONS / SHARE;
const uint SCORES = POSITIONS / 4 + 1;  // words of a row of scores
const uint WEIGHTS = POSITIONS / 8 + 1; // of a row of weights
const uint OWN = TM * max(SCORES, 2 * WEIGHTS);
const float NONE = -1.0 / 0.0;
const float WEIGHT_UNIT = 8192; // weights are at most 1: small ones must not be lost

shared uvec4 staged[max(POSITIONS, SUBGROUPS * TM) * PAD];
shared uvec4 scores[SUBGROUPS * OWN]; // of each subgroup: scores, then weights in two terms
shared vec4 keeps[SUBGROUPS * TM * TN / 4];

// Rows of POSITIONS positions of K or V; past the end the last one, whose scores are NONE. All loads are
// under way before the first is stored.
void stage(uvec2 data, uint sequence, uint kvHead, uint p0, uint end) {
  uvec4 bits[LOADS];
  UNROLL for (uint j = 0; j < LOADS; j++) {
    uint i = invocation() + j * GROUP;
    uint at = slotOf(rows, sequence, min(p0 + i / (DIM / 8), end - 1)) * headCountKv + kvHead;
    bits[j] = Quads(data).v[at * (DIM / 8) + i % (DIM / 8)];
  }
  UNROLL for (uint j = 0; j < LOADS; j++) {
    uint i = invocation() + j * GROUP;
    staged[i / (DIM / 8) * PAD + i % (DIM / 8)] = bits[j];
  }
}

// x = a + b with a in float16; b is small.
vec4 firstTerm(vec4 x) { return uintBitsToFloat(floatBitsToUint(x) & uvec4(0xFFFFE000u)); }

void subgroupWait() {
  controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
}

void main() {
  uint head = gl_WorkGroupID.x;
  uint row0 = tiles.v[2 * gl_WorkGroupID.y];
  uint count = tiles.v[2 * gl_WorkGroupID.y + 1];
  if (count == 0) return;
  uint kvHead = head / (headCount / headCountKv);
  uint sequence = rows.sequences.v[row0];
  uint firstLast = rows.positions.v[row0];
  uint end = rows.positions.v[row0 + count - 1] + 1;
  uint first = window == 0 || firstLast < window ? 0 : firstLast - window + 1;
  uint lane = gl_SubgroupInvocationID;
  uint own = gl_SubgroupID * TM + lane / SHARE; // this invocation's row of the tile
  uint part = lane % SHARE;
  uint row = row0 + min(own, count - 1);
  uint position = rows.positions.v[row];
  // Queries: their matrices of both terms.
  uint from = (row * headCount + head) * (DIM / 4);
  float largest = 0;
  for (uint i = part; i < DIM / 4; i += SHARE) {
    vec4 y = abs(q.v[from + i] * scale);
    largest = max(largest, max(max(y.x, y.y), max(y.z, y.w)));
  }
  [[unroll]] for (uint m = 1; m < SHARE; m *= 2) largest = max(largest, subgroupShuffleXor(largest, m));
  float power = powerOf(largest);
  coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> queries[2 * DIM / TK];
  UNROLL for (uint term = 0; term < 2; term++) {
    for (uint i = part; i < DIM / 4; i += SHARE) {
      vec4 y = q.v[from + i] * scale / power;
      vec4 high = firstTerm(y);
      y = term == 0 ? high : y - high;
      uvec2 bits = uvec2(packHalf2x16(y.xy), packHalf2x16(y.zw));
      if (i % 2 == 0) staged[own * PAD + i / 2].xy = bits;
      else staged[own * PAD + i / 2].zw = bits;
    }
    subgroupWait();
    UNROLL for (uint k = 0; k < DIM / TK; k++) {
      coopMatLoad(queries[term * (DIM / TK) + k], staged, gl_SubgroupID * TM * PAD + k * TK / 8, PAD, gl_CooperativeMatrixLayoutRowMajor);
    }
    subgroupWait();
  }
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> sums[DIM / TN];
  UNROLL for (uint i = 0; i < DIM / TN; i++) sums[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(0.0);
  float top = HAS_SINKS > 0 ? sinks.v[head] : NONE;
  float total = HAS_SINKS > 0 ? 1 : 0;
  uint mine = gl_SubgroupID * OWN;
  uint scoreAt = mine * 4 + lane / SHARE * SCORES * 4 + part;
  for (uint p0 = first; p0 < end; p0 += POSITIONS) {
    barrier();
    stage(keys, sequence, kvHead, p0, end);
    barrier();
    UNROLL for (uint j = 0; j < POSITIONS / TN; j++) {
      coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> s = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(0.0);
      UNROLL for (uint k = 0; k < DIM / TK; k++) {
        coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
        coopMatLoad(b, staged, j * TN * PAD + k * TK / 8, PAD, gl_CooperativeMatrixLayoutColumnMajor);
        s = coopMatMulAdd(queries[DIM / TK + k], b, s);
        s = coopMatMulAdd(queries[k], b, s);
      }
      coopMatStore(s, scores, mine + j * TN / 4, SCORES, gl_CooperativeMatrixLayoutRowMajor);
    }
    barrier();
    stage(values, sequence, kvHead, p0, end);
    // This invocation's scores of its row, every SHARE-th position.
    float y[COUNT];
    float best = top;
    [[unroll]] for (uint i = 0; i < COUNT; i++) {
      uint p = p0 + part + i * SHARE;
      float score = uintBitsToFloat(scores[(scoreAt + i * SHARE) / 4][(scoreAt + i * SHARE) % 4]) * power;
      if (softCap > 0) score = softCap * tanhOf(score / softCap);
      y[i] = p <= position && (window == 0 || position - p < window) ? score : NONE;
      best = max(best, y[i]);
    }
    [[unroll]] for (uint m = 1; m < SHARE; m *= 2) best = max(best, subgroupShuffleXor(best, m));
    float base = best == NONE ? 0 : best;
    float keep = exp(top - base);
    top = best;
    float sum = 0;
    [[unroll]] for (uint i = 0; i < COUNT; i++) {
      y[i] = exp(y[i] - base);
      sum += y[i];
    }
    [[unroll]] for (uint m = 1; m < SHARE; m *= 2) sum += subgroupShuffleXor(sum, m);
    total = total * keep + sum;
    for (uint i = part; i < TN / 4; i += SHARE) keeps[(own * TN) / 4 + i] = vec4(keep);
    subgroupWait();
    // Pairs of neighbours lie in two invocations where SHARE is 2: each writes words of both.
    [[unroll]] for (uint i = 0; i < COUNT; i += 2) {
      float a, b;
      uint pair; // of positions
      if (SHARE == 1) {
        a = y[i];
        b = y[i + 1];
        pair = i / 2;
      } else {
        float other = subgroupShuffleXor(part == 0 ? y[i + 1] : y[i], 1);
        a = part == 0 ? y[i] : other;
        b = part == 0 ? other : y[i + 1];
        pair = i + part;
      }
      vec4 w = vec4(vec2(a, b) * WEIGHT_UNIT, 0, 0);
      vec4 high = firstTerm(w);
      uint at = mine + lane / SHARE * WEIGHTS + pair / 4;
      scores[at][pair % 4] = packHalf2x16(high.xy);
      scores[at + TM * WEIGHTS][pair % 4] = packHalf2x16((w - high).xy);
    }
    barrier();
    coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> kept;
    coopMatLoad(kept, keeps, gl_SubgroupID * TM * TN / 4, TN / 4, gl_CooperativeMatrixLayoutRowMajor);
    UNROLL for (uint i = 0; i < DIM / TN; i++) sums[i] = sums[i] * kept;
    UNROLL for (uint k = 0; k < POSITIONS / TK; k++) {
      coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> high;
      coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> low;
      coopMatLoad(high, scores, mine + k * TK / 8, WEIGHTS, gl_CooperativeMatrixLayoutRowMajor);
      coopMatLoad(low, scores, mine + TM * WEIGHTS + k * TK / 8, WEIGHTS, gl_CooperativeMatrixLayoutRowMajor);
      UNROLL for (uint i = 0; i < DIM / TN; i++) {
        coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
        coopMatLoad(b, staged, k * TK * PAD + i * TN / 8, PAD, gl_CooperativeMatrixLayoutRowMajor);
        sums[i] = coopMatMulAdd(low, b, sums[i]);
        sums[i] = coopMatMulAdd(high, b, sums[i]);
      }
    }
  }
  // Each subgroup takes its results through shared memory, to know their rows.
  float factor = 1.0 / (total * WEIGHT_UNIT);
  UNROLL for (uint i = 0; i < DIM / TN; i++) {
    subgroupWait();
    coopMatStore(sums[i], keeps, gl_SubgroupID * TM * TN / 4, TN / 4, gl_CooperativeMatrixLayoutRowMajor);
    subgroupWait();
    if (own < count) {
      for (uint c = part; c < TN / 4; c += SHARE) {
        vec4 x = keeps[(own * TN) / 4 + c] * factor;
        uint at = ((row0 + own) * headCount + head) * DIM + i * TN + c * 4;
        result.v[at / 4] = x;
      }
    }
  }
}
