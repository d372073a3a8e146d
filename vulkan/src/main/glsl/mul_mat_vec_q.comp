#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for up to 32 tokens t, in
// integer dot products of x as int8 (include/quantized.glsl). A row's columns are cut into SLICES, each
// for lanes of 32 that take EACH units of a row: a lane keeps its part of x of up to MAX_KEPT tokens in
// registers and streams rows, AT_ONCE under way, the next loaded as soon as one is used. The sums of the slices meet in
// shared memory. What is added in which order depends on COLS and SLICES alone, never on ROWS, TOKENS or
// the other tokens.
// One token's x may come from a norm that each workgroup computes for itself (NORM, include/norm.glsl):
// cheaper than a dispatch and a barrier. Up to three matrices that lie one after the other have their
// own results (Q, K and V). Experts: t counts pairs of token and expert; then TOKENS is 1.
// Gate and up are rows like others, of different lanes, until their sums meet.
// Grid: x * z = ceil(rows / (SETS * ROWS)), y = ceil(n / TOKENS). Sums: int32 within half a unit, float32
// over units.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/chain.glsl"
#include "include/quantized.glsl"
#define WITH_UNITS
#define WITH_X
#include "include/weights.glsl"
#include "include/store_block.glsl"

layout(constant_id = 1) const uint TOKENS = 1;
layout(constant_id = 2) const uint ROWS = 4;         // of lanes of 32
layout(constant_id = 3) const uint PRODUCT = 0;      // 0: products; 1 + a: gated by activation a
layout(constant_id = 4) const uint HAS_BIAS = 0;
layout(constant_id = 5) const uint EXPERTS_USED = 0; // k of a mixture of experts, 0 for one matrix
layout(constant_id = 6) const uint NORM = 0;         // 0: x is int8; 1, 2: include/norm.glsl
layout(constant_id = 7) const uint QUANTIZE = 0;     // 1: the result is int8; then SETS * ROWS is 32
layout(constant_id = 8) const uint COLS = 256;
layout(constant_id = 9) const uint SLICES = 1;
layout(constant_id = 10) const uint SETS = 1;        // of rows, of each of gate and up
layout(constant_id = 11) const uint AT_ONCE = 1;     // rows at a time, a divisor of ROWS
layout(constant_id = 12) const uint SUMS = 1;        // a power of two of at least AT_ONCE * TOKENS
const uint UP = PRODUCT > 0 ? 1 : 0;
const uint GROUP = LANES * SLICES * SETS * (1 + UP);
const uint NORM_GROUP = GROUP;
const bool ANY_GROUP = true;
#include "include/norm.glsl"

layout(push_constant, scalar) uniform Push {
  uvec2 x;      // int8 [n, xWidth], or a of the norm
  uvec2 x2;     // its blocks, or b of the norm
  uvec2 factor; // weight of the norm, or route [n, 2 k] of experts
  uvec2 sum;    // of the norm
  uvec2 w;      // plane 0: [rows, COLS]; gated: [2 rows, COLS], up last; experts: [experts, rows, COLS]
  LiveFloats out0; // [n, rows0], or quants
  LiveFloats out1; // [n, rows1], or blocks
  LiveFloats out2; // [n, rows - rows0 - rows1]
  Floats bias;  // [rows] or [experts, rows]
  uint plane1;  // of w, in units of 16 bytes from plane 0
  uint plane2;
  uint plane3;
  uint rows; // of all results
  uint n;    // tokens, or tokens * k of experts
  uint rows0;
  uint rows1; // xWidth of experts
  float eps;
  float scale;
  Link link;
};

const uint MAX_KEPT = 4; // tokens: all of a step in a chain (Chain.java)
const uint ROW_UNITS = COLS / 32;
const uint EACH = (ROW_UNITS + LANES * SLICES - 1) / (LANES * SLICES);
const uint TALL = SETS * ROWS;     // rows of a workgroup
const uint RESULTS = TALL * TOKENS;
const bool KEPT = TOKENS <= MAX_KEPT; // x in registers

shared uvec4 normQuants[NORM > 0 ? COLS / 16 : 1];
shared uvec2 normBlocks[NORM > 0 ? COLS / 32 : 1];
shared float parts[(1 + UP) * SLICES * RESULTS];

uvec4 quants16(uint at) {
  if (NORM > 0) return normQuants[at / 16];
  if (KEPT) return LiveQuads(x).v[at / 16];
  return Quads(x).v[at / 16];
}

uvec2 block32(uint at) {
  if (NORM > 0) return normBlocks[at / 32];
  if (KEPT) return LivePairs(x2).v[at / 32];
  return Pairs(x2).v[at / 32];
}

#ifndef UNIT_POWER
#define UNIT_POWER 1
#endif

// What belongs to unit `at` of a row, of the x whose row starts at element row0; zero if it is not there.
X xOf(uint row0, uint at, bool there) {
  uint from = row0 + 32 * at;
  uvec2 block = block32(from);
  X y;
  y.a = quants16(from);
  y.b = quants16(from + 16);
  y.d = there ? uintBitsToFloat(block.x) / UNIT_POWER : 0.0;
  y.na = int(block.y << 16) >> 16;
  y.nb = int(block.y) >> 16;
  return y;
}

// sum + unit times y; exact roundings are spelled out, so that no two pipelines differ.
#if UNIT_POWER > 1
float addUnit(float sum, RawUnit r, uint u, X y) {
  int product, minimum;
  products(r, y, product, minimum);
  vec2 scales = scalesOf(r);
  precise float p = scales.x * float(product);
#ifdef UNIT_MINIMUM
  return fma(y.d, fma(-scales.y, float(minimum), p), sum);
#else
  return fma(y.d, p, sum);
#endif
}
#else
float addUnit(float sum, RawUnit r, uint u, X y) {
  uvec4 qa, qb;
  vec2 sa, sb; // the same of both halves
  unitOf(r, u, qa, qb, sa, sb);
  precise float p = sa.x * float(dot16(dot16(-UNIT_OFFSET * (y.na + y.nb), qa, y.a), qb, y.b));
#ifdef UNIT_MINIMUM
  return fma(y.d, fma(-sa.y, float(y.na + y.nb), p), sum);
#else
  return fma(y.d, p, sum);
#endif
}
#endif

void prologue() {
  if (NORM > 0) {
    vec4 normed[MAX_RUNS];
    normalize(normed, LiveVecs(x), LiveVecs(x2), Vecs(factor), Vecs(factor), LiveVecs(sum), 0, workgroup() == 0, eps, scale);
    uint id = invocation();
    for (uint j = 0; j < RUNS; j++) {
      uint i = id + j * NORM_GROUP;
      uvec2 block;
      uint word = quantizeRun(normed[j], block);
      if (i < COLS / 4) {
        normQuants[i / 4][i % 4] = word;
        if (i % 8 == 0) normBlocks[i / 8] = block;
      }
    }
    barrier();
  }
}

void store(uint t, uint row, uint firstRow, float y) {
  if (HAS_BIAS > 0) y += bias.v[firstRow + row];
  if (EXPERTS_USED > 0 || row < rows0) {
    out0.v[t * (EXPERTS_USED > 0 ? rows : rows0) + row] = y;
  } else if (row < rows0 + rows1) {
    out1.v[t * rows1 + row - rows0] = y;
  } else {
    out2.v[t * (rows - rows0 - rows1) + row - rows0 - rows1] = y;
  }
}

// Adds up the slices of each result and stores it.
void epilogue(uint t0, uint firstRow) {
  barrier();
  for (uint base = 0; base < RESULTS; base += GROUP) {
    uint i = base + invocation();
    bool there = i < RESULTS;
    float y = 0;
    float up = 0;
    [[unroll]] for (uint s = 0; s < SLICES; s++) {
      if (there) {
        y += parts[s * RESULTS + i];
        if (UP > 0) up += parts[(SLICES + s) * RESULTS + i];
      }
    }
    if (PRODUCT > 0) y = activate(PRODUCT - 1, y, up);
    uint t = t0 + i / TALL;
    uint row = workgroup() * TALL + i % TALL;
    there = there && t < n && row < rows;
    if (QUANTIZE > 0) storeBlock(LiveBytes(out0), LivePairs(out1), t * rows + row, y, there);
    else if (there) store(t, row, firstRow, y);
  }
}

#define LOAD(r, k) raw[r][k] = rawUnit(from[k], r * (COLS / BLOCK), 0);

// First row of a pass: one that begins before the end is whole, if need be by rows of the pass before.
uint passRow(uint row0, uint pass) { return min(row0 + pass, rows - AT_ONCE); }

// Sums each of v over the lanes: by halves, so that lanes end with different sums. Which: sumOf().
#define REDUCE(v)                                                                                    \
  if (SUBGROUP >= LANES) {                                                                           \
    [[unroll]] for (uint step_ = 0; step_ < 5; step_++) {                                            \
      bool odd = (lane & (16u >> step_)) != 0;                                                       \
      if ((SUMS >> step_) > 1) {                                                                     \
        [[unroll]] for (uint j = 0; j < SUMS >> (step_ + 1); j++) {                                  \
          float kept = odd ? v[2 * j + 1] : v[2 * j];                                                \
          float sent = odd ? v[2 * j] : v[2 * j + 1];                                                \
          v[j] = kept + subgroupShuffleXor(sent, 16u >> step_);                                      \
        }                                                                                            \
      } else {                                                                                       \
        v[0] += subgroupShuffleXor(v[0], 16u >> step_);                                              \
      }                                                                                              \
    }                                                                                                \
  } else {                                                                                           \
    for (uint i = 0; i < SUMS; i++) {                                                                \
      float whole = lanesSum(v[i]);                                                                  \
      if (lane == i % LANES) v[i / LANES] = whole;                                                   \
    }                                                                                                \
  }

// The sum that v[j] of this lane holds after REDUCE; SUMS or more: none, or another lane's.
uint sumOf(uint lane, uint j) {
  if (SUBGROUP < LANES) return lane < SUMS ? j * LANES + lane : SUMS;
  uint reversed = bitfieldReverse(lane) >> 27;
  if (SUMS >= LANES) return j * LANES + reversed;
  return reversed < SUMS ? reversed : SUMS;
}

void main() {
  uint team = invocation() / LANES;
  uint lane = invocation() % LANES;
  uint slice = team % SLICES;
  uint which = team / SLICES % (1 + UP);
  uint set = team / SLICES / (1 + UP);
  uint row0 = (workgroup() * SETS + set) * ROWS;
  uint t0 = gl_WorkGroupID.y * TOKENS;
  uint xAt = 0;
  uint firstRow = which * rows;
  if (workgroup() * TALL >= rows) {
    finishLink(link);
    return;
  }
  if (EXPERTS_USED > 0) {
    uint token = t0 / EXPERTS_USED;
    uint j = t0 % EXPERTS_USED;
    firstRow = uint(Floats(factor).v[2 * EXPERTS_USED * token + j]) * rows;
    xAt = token * rows1 + (rows1 == COLS ? 0 : j * COLS);
  }
#ifdef UNIT_TABLE
  fillTable();
#endif
  Weights planes = Weights(Words(w), Words(further(w, plane1)), Words(further(w, plane2)), Words(further(w, plane3)));
  uint at[EACH];
  Weights from[EACH]; // this lane's units of the first row under way
  RawUnit raw[AT_ONCE][EACH];
  // The first weights are under way while what comes before ends, and during the norm.
  [[unroll]] for (uint k = 0; k < EACH; k++) {
    at[k] = min((k * SLICES + slice) * LANES + lane, ROW_UNITS - 1);
    from[k] = unitsFrom(planes, firstRow + passRow(row0, 0), COLS, at[k]);
    [[unroll]] for (uint r = 0; r < AT_ONCE; r++) LOAD(r, k)
  }
  awaitLink(link);
  prologue();
  X kept[KEPT ? TOKENS : 1][EACH];
  [[unroll]] for (uint k = 0; k < EACH; k++) {
    bool there = (k * SLICES + slice) * LANES + lane < ROW_UNITS;
    if (KEPT) {
      [[unroll]] for (uint t = 0; t < TOKENS; t++) kept[t][k] = xOf(xAt + (EXPERTS_USED > 0 ? 0 : min(t0 + t, n - 1) * COLS), at[k], there);
    }
  }
  [[dont_unroll]] for (uint pass = 0; pass < ROWS; pass += AT_ONCE) {
    uint firstOfPass = passRow(row0, pass);
    bool more = pass + AT_ONCE < ROWS;
    if (more) {
      uint next = passRow(row0, pass + AT_ONCE) - firstOfPass;
      [[unroll]] for (uint k = 0; k < EACH; k++) from[k] = unitsFrom(from[k], next, COLS, 0);
    }
    float acc[SUMS];
    [[unroll]] for (uint i = 0; i < SUMS; i++) acc[i] = 0;
    [[unroll]] for (uint r = 0; r < AT_ONCE; r++) {
      [[unroll]] for (uint k = 0; k < EACH; k++) {
        RawUnit unit = raw[r][k];
        if (more) LOAD(r, k)
        bool there = (k * SLICES + slice) * LANES + lane < ROW_UNITS;
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
          X y;
          if (KEPT) y = kept[t][k];
          else y = xOf(min(t0 + t, n - 1) * COLS, at[k], there);
          acc[r * TOKENS + t] = addUnit(acc[r * TOKENS + t], unit, at[k] % UNITS, y);
        }
      }
    }
    REDUCE(acc)
    [[unroll]] for (uint j = 0; j < (SUMS + LANES - 1) / LANES; j++) {
      uint sum = sumOf(lane, j);
      uint row = firstOfPass + sum / TOKENS;
      if (sum < AT_ONCE * TOKENS && row >= row0 + pass) {
        parts[(which * SLICES + slice) * RESULTS + sum % TOKENS * TALL + row - workgroup() * TALL] = acc[j];
      }
    }
  }
  epilogue(t0, EXPERTS_USED > 0 ? firstRow : 0);
  finishLink(link);
}
