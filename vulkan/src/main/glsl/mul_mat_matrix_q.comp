#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for some tens of tokens, in
// cooperative matrices whose weights each invocation decodes into its own elements: a step of SHARERS
// units (32 weights each) of a row is spread over the invocations that share the row, so that weights go
// from memory to registers and nowhere else. Columns of a step are taken in any order, the same for w and x.
// Subgroups take every SUBGROUPS-th step of FM * TM rows and FN * TN tokens and add up at the end, in
// the order of their numbers: a row's sum never depends on n, FN or the other tokens. x is float16
// in pieces (include/half.glsl); weights are rounded to float16, after their scales.
// Shapes are macros, as in mul_mat_matrix.comp; ROWS_OF_LANE and constants 3 and 4 say which elements an
// invocation holds (probe_layout.comp). Up to three results side by side (Q, K and V).
// Grid: x * z = ceil(rows / (FM * TM, halved if gated)) * ceil(n / (FN * TN)).
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"
#include "include/chain.glsl"
#define WITH_UNITS
#include "include/weights.glsl"

layout(constant_id = 1) const uint PRODUCT = 0; // 1 + a: gated by activation a
layout(constant_id = 2) const uint HAS_BIAS = 0;
layout(constant_id = 3) const uint AT_ROW = 4;  // elements from one row of A, or column of B, to the next
layout(constant_id = 4) const uint AT_PAIR = 2; // and from one pair of k to the next

layout(push_constant, scalar) uniform Push {
  LiveQuads x;   // [ceil(n / 16)][cols / 8][16] pieces of 8 float16
  LiveFloats powers; // [n]
  uvec2 w;       // plane 0: [rows, cols]; gated: [2 rows, cols], up last
  LiveFloats out0; // [n, rows0]
  LiveFloats out1; // [n, rows1]
  LiveFloats out2; // [n, rows - rows0 - rows1]
  Floats bias;   // [rows]
  uint plane1;   // of w, in units of 16 bytes from plane 0
  uint plane2;
  uint plane3;
  uint cols;
  uint rows; // of all results
  uint n;
  uint rows0;
  uint rows1;
  Link link;
};

const uint GATED = PRODUCT > 0 ? 1 : 0;
const uint MAX_SUBGROUPS = 16;
const uint R = ROWS_OF_LANE;                   // rows of A, and columns of B, of an invocation
const uint SHARERS = LANES_USED * R / TM;      // invocations with the same rows
const uint EACH = TM * TK / LANES_USED / R;    // of k, of each of its rows
const uint MATRICES = 32 / EACH;               // of a step
const uint PIECE_TOKENS = 16;
const uint AT_ONCE = 2; // matrices of sums added up at a time

// Invocations of small subgroups hold many rows: with all their loops unrolled, compilers give up.
#ifdef KEEP_LOOPS
#define UNROLL [[dont_unroll]]
#else
#define UNROLL [[unroll]]
#endif

// With two matrices of tokens a driver that unrolls steps on its own makes too much code to fetch: 4.6
// against 6.7 ms for 32 tokens of a model of 8 B; with one it must, or 12 tokens take 5.2 ms instead of 4.5.
#ifdef WIDE
#define STEPS [[dont_unroll]]
#else
#define STEPS
#endif

shared float parts[MAX_SUBGROUPS * AT_ONCE * TM * TN];

// Word p of a unit as two pairs of float16: elements 0 and 2, 1 and 3.
void decode(uint q, f16vec2 s, out f16vec2 even, out f16vec2 odd) {
  // 0x6400 + i are the bits of 1024 + i.
#ifdef UNIT_SIGNED
  q ^= 0x80808080u;
  const float offset = 1024 + 128 + UNIT_OFFSET;
#else
  const float offset = 1024 + UNIT_OFFSET;
#endif
  precise f16vec2 a = unpackFloat2x16((q & 0x00FF00FFu) | 0x64006400u) - f16vec2(offset);
  precise f16vec2 b = unpackFloat2x16(((q >> 8) & 0x00FF00FFu) | 0x64006400u) - f16vec2(offset);
#ifdef UNIT_MINIMUM
  even = fma(a, s.xx, -s.yy);
  odd = fma(b, s.xx, -s.yy);
#else
  even = a * s.xx;
  odd = b * s.xx;
#endif
}

void store(uint t, uint row, float y) {
  if (HAS_BIAS > 0) y += bias.v[row];
  if (row < rows0) out0.v[t * rows0 + row] = y;
  else if (row < rows0 + rows1) out1.v[t * rows1 + row - rows0] = y;
  else out2.v[t * (rows - rows0 - rows1) + row - rows0 - rows1] = y;
}

void main() {
  const uint SUBGROUPS = gl_WorkGroupSize.x / LANES_USED;
  uint wide = (n + FN * TN - 1) / (FN * TN);
  uint row0 = workgroup() / wide * (FM * TM >> GATED);
  uint t0 = workgroup() % wide * (FN * TN);
  if (row0 >= rows) {
    finishLink(link);
    return;
  }
#ifdef UNIT_TABLE
  fillTable();
#endif
  Weights planes = Weights(Words(w), Words(further(w, plane1)), Words(further(w, plane2)), Words(further(w, plane3)));
  uint lane = gl_SubgroupInvocationID;
  uint own = lane / SHARERS;   // first of its rows, and columns; others TM / R further on
  uint share = lane % SHARERS; // its unit of a step
  uint blocks = cols / BLOCK;
  uint units = blocks * UNITS;
  uint firstBlock[FM * R];
  [[unroll]] for (uint i = 0; i < FM; i++) {
    [[unroll]] for (uint r = 0; r < R; r++) {
      uint row = row0 + (i >> GATED) * TM + own + r * (TM / R);
      firstBlock[i * R + r] = (min(row, rows - 1) + (GATED > 0 && i % 2 > 0 ? rows : 0)) * blocks;
    }
  }
  uint xAt[FN * R];
  [[unroll]] for (uint f = 0; f < FN; f++) {
    [[unroll]] for (uint c = 0; c < R; c++) {
      uint t = t0 + f * TN + own + c * (TN / R);
      xAt[f * R + c] = t / PIECE_TOKENS * (cols / 8) * PIECE_TOKENS + t % PIECE_TOKENS;
    }
  }
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> acc[FM * FN];
  [[unroll]] for (uint i = 0; i < FM * FN; i++) acc[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(0.0);
  // The unit of its block that this invocation takes in every step, and where x of it begins.
  const uint STRIDE_UNITS = SUBGROUPS * SHARERS;
  uint v = (gl_SubgroupID * SHARERS + share) % UNITS;
  uint pieces[2] = uint[2](UNIT_A(v) / 8 * PIECE_TOKENS, UNIT_B(v) / 8 * PIECE_TOKENS);
  RawUnit raw[FM * R];
  uint u = gl_SubgroupID * SHARERS + share;
  [[unroll]] for (uint i = 0; i < FM * R; i++) raw[i] = rawUnit(planes, firstBlock[i] + min(u / UNITS, blocks - 1), v);
  awaitLink(link);
  STEPS for (uint u0 = gl_SubgroupID * SHARERS; u0 < units; u0 += STRIDE_UNITS) {
    u = u0 + share;
    uint b = min(u / UNITS, blocks - 1);
    uint next = min((u + STRIDE_UNITS) / UNITS, blocks - 1);
    [[unroll]] for (uint h = 0; h < 2; h++) {
      uvec4 y[FN * R * 2];
      [[unroll]] for (uint f = 0; f < FN * R; f++) {
        [[unroll]] for (uint p = 0; p < 2; p++) y[f * 2 + p] = x.v[xAt[f] + b * (BLOCK / 8 * PIECE_TOKENS) + pieces[h] + p * PIECE_TOKENS];
      }
      [[unroll]] for (uint i = 0; i < FM; i++) {
        f16vec2 pairs[R * 8];
        UNROLL for (uint r = 0; r < R; r++) {
          uvec4 qa, qb;
          vec2 sa, sb;
          unitOf(raw[i * R + r], v, qa, qb, sa, sb);
          uvec4 q = h == 0 ? qa : qb;
          f16vec2 s = f16vec2(h == 0 ? sa : sb);
          if (UNITS == 1 && u >= units) s = f16vec2(0);
          [[unroll]] for (uint p = 0; p < 4; p++) decode(q[p], s, pairs[r * 8 + 2 * p], pairs[r * 8 + 2 * p + 1]);
          // Loads of the next step are under way during the products of this one.
          if (h == 1) raw[i * R + r] = rawUnit(planes, firstBlock[i * R + r] + next, v);
        }
        UNROLL for (uint j = 0; j < MATRICES / 2; j++) {
          coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> ma;
          [[unroll]] for (uint r = 0; r < R; r++) {
            [[unroll]] for (uint k = 0; k < EACH; k++) {
              uint e = j * EACH + k;
              ma[k % 2 + r * AT_ROW + k / 2 * AT_PAIR] = pairs[r * 8 + e / 2][e % 2];
            }
          }
          [[unroll]] for (uint f = 0; f < FN; f++) {
            coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> mb;
            [[unroll]] for (uint c = 0; c < R; c++) {
              [[unroll]] for (uint k = 0; k < EACH; k++) {
                uint e = j * EACH + k;
                mb[k % 2 + c * AT_ROW + k / 2 * AT_PAIR] = unpackFloat2x16(y[(f * R + c) * 2 + e / 8][e % 8 / 2])[e % 2];
              }
            }
            acc[i * FN + f] = coopMatMulAdd(ma, mb, acc[i * FN + f]);
          }
        }
      }
    }
  }
  const uint ELEMENTS = TM * TN;
  [[unroll]] for (uint f = 0; f < FN; f++) {
    [[unroll]] for (uint i0 = 0; i0 < FM; i0 += AT_ONCE) {
      barrier();
      [[unroll]] for (uint i = 0; i < AT_ONCE; i++) {
        coopMatStore(acc[(i0 + i) * FN + f], parts, (gl_SubgroupID * AT_ONCE + i) * ELEMENTS, TM, gl_CooperativeMatrixLayoutColumnMajor);
      }
      barrier();
      [[dont_unroll]] for (uint e = invocation(); e < (AT_ONCE >> GATED) * ELEMENTS; e += gl_WorkGroupSize.x) {
        uint t = t0 + f * TN + e % ELEMENTS / TM;
        uint row = row0 + ((i0 >> GATED) + e / ELEMENTS) * TM + e % TM;
        float sum = 0;
        float sumUp = 0;
        [[unroll]] for (uint s = 0; s < SUBGROUPS; s++) {
          sum += parts[s * AT_ONCE * ELEMENTS + e];
          if (GATED > 0) sumUp += parts[(s * AT_ONCE + 1) * ELEMENTS + e];
        }
        if (t < n && row < rows) {
          float power = powers.v[t];
          sum *= power;
          if (GATED > 0) sum = activate(PRODUCT - 1, sum, sumUp * power);
          store(t, row, sum);
        }
      }
    }
  }
  finishLink(link);
}
