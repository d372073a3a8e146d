#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for up to 32 tokens t, in
// integer dot products of x as int8 (include/quantized.glsl). Lanes of 32 share ROWS rows, AT_ONCE at
// a time, and take every 32nd unit of each, so that a row's sum never depends on ROWS, TOKENS or the other tokens.
// One token's x may come from a norm that each workgroup computes for itself (NORM, include/norm.glsl):
// cheaper than a dispatch and a barrier. Up to three matrices that lie one after the other have their
// own results (Q, K and V). Experts: t counts pairs of token and expert; then TOKENS is 1.
// Grid: x * z = ceil(rows / (ROWS * workgroup size / 32)), y = ceil(n / TOKENS). Sums: int32 within
// half a unit, float32 over units.
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#define WITH_UNITS
#include "include/weights.glsl"
#include "include/quantized.glsl"

layout(constant_id = 1) const uint TOKENS = 1;
layout(constant_id = 2) const uint ROWS = 4;
layout(constant_id = 3) const uint PRODUCT = 0;      // 0: products; 1 + a: gated by activation a
layout(constant_id = 4) const uint HAS_BIAS = 0;
layout(constant_id = 5) const uint EXPERTS_USED = 0; // k of a mixture of experts, 0 for one matrix
layout(constant_id = 6) const uint NORM = 0;         // 0: x is int8; 1 to 3: include/norm.glsl
layout(constant_id = 7) const uint QUANTIZE = 0;     // 1: the result is int8; 32 rows a workgroup
layout(constant_id = 8) const uint COLS = 256;       // cols, where NORM > 0
layout(constant_id = 9) const uint PARALLEL = 1;     // units of a row at a time
layout(constant_id = 10) const uint AT_ONCE = 1;     // rows at a time, a divisor of ROWS
layout(constant_id = 11) const uint SUMS = 1;        // a power of two of at least AT_ONCE * TOKENS
#include "include/norm.glsl"

layout(push_constant, scalar) uniform Push {
  uvec2 x;      // int8 [n, xWidth], or a of the norm
  uvec2 x2;     // its blocks, or b of the norm
  uvec2 factor; // weight of the norm, or route [n, 2 k] of experts
  uvec2 post;   // weight of the norm of b
  uvec2 sum;    // of the norm
  uvec2 w;      // plane 0: [rows, cols]; gated: [2 rows, cols], up last; experts: [experts, rows, cols]
  Floats out0;  // [n, rows0], or quants
  Floats out1;  // [n, rows1], or blocks
  Floats out2;  // [n, rows - rows0 - rows1]
  Floats bias;  // [rows] or [experts, rows]
  uint plane1;  // of w, in units of 16 bytes from plane 0
  uint plane2;
  uint plane3;
  uint cols;
  uint rows; // of all results
  uint n;    // tokens, or tokens * k of experts
  uint rows0;
  uint rows1; // xWidth of experts
  float eps;
  float scale;
};

const uint GROUP = 256;
const uint GROUPS = GROUP / LANES;
const uint UP = PRODUCT > 0 ? 1 : 0;

shared uvec4 normQuants[NORM > 0 ? COLS / 16 : 1];
shared uvec2 normBlocks[NORM > 0 ? COLS / 32 : 1];
shared float results[QUANTIZE > 0 ? TOKENS * 32 : 1];
shared uint words[QUANTIZE > 0 ? TOKENS * 8 : 1];

uvec4 quants16(uint at) {
  if (NORM == 0) return Quads(x).v[at / 16];
  return normQuants[at / 16];
}

uvec2 block32(uint at) {
  return NORM == 0 ? Pairs(x2).v[at / 32] : normBlocks[at / 32];
}

int dot16(uvec4 q, uvec4 y) {
  return dotPacked4x8EXT(int(q.x), int(y.x)) + dotPacked4x8EXT(int(q.y), int(y.y))
      + dotPacked4x8EXT(int(q.z), int(y.z)) + dotPacked4x8EXT(int(q.w), int(y.w));
}

int halfSum(uvec2 block, uint at) {
  return int(at % 32 == 0 ? block.y << 16 : block.y) >> 16;
}

struct Unit { uvec4 qa; uvec4 qb; vec2 sa; vec2 sb; };
struct X { uvec4 a; uvec4 b; float da; float db; int na; int nb; };

// sum + unit times y; exact roundings are spelled out, so that no two pipelines differ.
float addUnit(float sum, Unit u, X y) {
  int a = dot16(u.qa, y.a);
  int b = dot16(u.qb, y.b);
#if UNIT_OFFSET != 0
  a -= UNIT_OFFSET * y.na;
  b -= UNIT_OFFSET * y.nb;
#endif
  precise float pa = u.sa.x * float(a);
  precise float pb = u.sb.x * float(b);
#ifdef UNIT_MINIMUM
  pa = fma(-u.sa.y, float(y.na), pa);
  pb = fma(-u.sb.y, float(y.nb), pb);
#endif
  return fma(y.db, pb, fma(y.da, pa, sum));
}

void prologue() {
  if (NORM > 0) {
    vec4 normed[MAX_RUNS];
    normalize(normed, Vecs(x), Vecs(x2), Vecs(factor), Vecs(post), Vecs(sum), 0, workgroup() == 0, eps, scale);
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

// Rows of this workgroup, t0 .. t0 + TOKENS: to quants, 8 words of 4 rows a token.
void storeQuantized(uint block, uint t0) {
  barrier();
  for (uint i = invocation(); i < 8 * TOKENS; i += GROUP) {
    uint from = i / 8 * 32;
    float largest = 0;
    for (uint j = 0; j < 32; j++) largest = max(largest, abs(results[from + j]));
    uint at = i * 4;
    vec4 y = vec4(results[at], results[at + 1], results[at + 2], results[at + 3]);
    words[i] = quantize4(y, inverseOf(largest / 127.0));
  }
  barrier();
  for (uint i = invocation(); i < 8 * TOKENS; i += GROUP) {
    uint t = i / 8;
    if (t0 + t < n) Words(out0).v[(t0 + t) * (rows / 4) + block * 8 + i % 8] = words[i];
    if (i % 8 == 0 && t0 + t < n) {
      float largest = 0;
      for (uint j = 0; j < 32; j++) largest = max(largest, abs(results[t * 32 + j]));
      int first = sum16(uvec4(words[i], words[i + 1], words[i + 2], words[i + 3]));
      int second = sum16(uvec4(words[i + 4], words[i + 5], words[i + 6], words[i + 7]));
      Pairs(out1).v[(t0 + t) * (rows / 32) + block] = blockOf(largest / 127.0, first, second);
    }
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

#define LOAD(i0, pass)                                                                               \
  [[unroll]] for (uint p = 0; p < PARALLEL; p++) {                                                   \
    uint at = min((i0) + p * LANES, units - 1);                                                      \
    [[unroll]] for (uint r = 0; r < AT_ONCE; r++) {                                                  \
      [[unroll]] for (uint k = 0; k <= UP; k++) {                                                    \
        uint row = firstRow + min(row0 + (pass) + r, rows - 1) + k * rows;                           \
        unit(planes, row * blocks + at / UNITS, at % UNITS, u[p][r][k].qa, u[p][r][k].qb,            \
             u[p][r][k].sa, u[p][r][k].sb);                                                          \
      }                                                                                              \
    }                                                                                                \
  }

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
  uint row0 = (workgroup() * GROUPS + invocation() / LANES) * ROWS;
  uint lane = invocation() % LANES;
  uint t0 = gl_WorkGroupID.y * TOKENS;
  uint xAt = 0;
  uint firstRow = 0;
  if (workgroup() * GROUPS * ROWS >= rows) return;
  if (EXPERTS_USED > 0) {
    uint token = t0 / EXPERTS_USED;
    uint j = t0 % EXPERTS_USED;
    firstRow = uint(Floats(factor).v[2 * EXPERTS_USED * token + j]) * rows;
    xAt = token * rows1 + (rows1 == cols ? 0 : j * cols);
  }
#ifdef UNIT_TABLE
  fillTable();
#endif
  Weights planes = Weights(Words(w), Words(further(w, plane1)), Words(further(w, plane2)), Words(further(w, plane3)));
  uint blocks = cols / BLOCK;
  uint units = blocks * UNITS;
  Unit u[PARALLEL][AT_ONCE][1 + UP];
  // The first weights are under way during the norm.
  LOAD(lane, 0)
  prologue();
  for (uint pass = 0; pass < ROWS; pass += AT_ONCE) {
    float acc[SUMS];
    float accUp[SUMS];
    [[unroll]] for (uint i = 0; i < SUMS; i++) {
      acc[i] = 0;
      accUp[i] = 0;
    }
    for (uint i0 = lane; i0 < units;) {
      [[unroll]] for (uint p = 0; p < PARALLEL; p++) {
        uint i = i0 + p * LANES;
        if (i < units) {
          uint from = i / UNITS * BLOCK;
          [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            uint at = xAt + (EXPERTS_USED > 0 ? 0 : min(t0 + t, n - 1) * cols) + from;
            uint atA = at + UNIT_A(i % UNITS);
            uint atB = at + UNIT_B(i % UNITS);
            uvec2 ba = block32(atA);
            uvec2 bb = block32(atB);
            X y = X(quants16(atA), quants16(atB), uintBitsToFloat(ba.x), uintBitsToFloat(bb.x), halfSum(ba, atA), halfSum(bb, atB));
            [[unroll]] for (uint r = 0; r < AT_ONCE; r++) {
              acc[r * TOKENS + t] = addUnit(acc[r * TOKENS + t], u[p][r][0], y);
              if (UP > 0) accUp[r * TOKENS + t] = addUnit(accUp[r * TOKENS + t], u[p][r][UP], y);
            }
          }
        }
      }
      i0 += LANES * PARALLEL;
      uint nextPass = i0 < units ? pass : pass + AT_ONCE;
      if (nextPass < ROWS) {
        uint next = i0 < units ? i0 : lane;
        LOAD(next, nextPass)
      }
    }
    REDUCE(acc)
    if (PRODUCT > 0) {
      REDUCE(accUp)
    }
    [[unroll]] for (uint j = 0; j < (SUMS + LANES - 1) / LANES; j++) {
      uint sum = sumOf(lane, j);
      if (sum < AT_ONCE * TOKENS) {
        float y = acc[j];
        if (PRODUCT > 0) y = activate(PRODUCT - 1, y, accUp[j]);
        uint r = pass + sum / TOKENS;
        uint t = sum % TOKENS;
        if (QUANTIZE > 0) results[t * 32 + invocation() / LANES * ROWS + r] = y;
        else if (t0 + t < n && row0 + r < rows) store(t0 + t, row0 + r, firstRow, y);
      }
    }
  }
  if (QUANTIZE > 0) storeQuantized(workgroup(), t0);
}
