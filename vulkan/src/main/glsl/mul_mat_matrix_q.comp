#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for some tens of tokens, in
// cooperative matrices whose weights each invocation decodes into its own elements: a step of D * SHARERS
// units (32 weights each) of a row is spread over the invocations that share the row, so that weights go
// from memory to registers and nowhere else. Columns of a step are taken in any order, the same for w and x.
// A workgroup's subgroups are teams of FM * TM rows and FN * TN tokens, each of SLICES subgroups that take every SLICES-th step
// and add up at the end, in the order of their numbers: a row's sum never depends on n, FN or the other tokens.
// With one slice all subgroups take the same steps at the same time: x goes through shared memory, CHUNK steps at
// a time, in the order in which invocations want it.
// x is float16 in pieces (include/half.glsl); weights are rounded to float16, after their scales.
// Shapes are macros, as in mul_mat_matrix.comp (DecodeShape.java chooses FM and D); ROWS_OF_LANE and constants 3 and 4 say which elements an
// invocation holds (probe_layout.comp). Up to three results side by side (Q, K and V).
// Grid: x * z = ceil(rows / (TEAMS * FM * TM, halved if gated)) * ceil(n / (FN * TN)).
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
layout(constant_id = 5) const uint SUBGROUPS = 8;
layout(constant_id = 6) const uint SLICES = 1;  // a divisor of SUBGROUPS
layout(constant_id = 7) const uint CHUNK = 1;

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
const uint TEAMS = SUBGROUPS / SLICES;
const uint TILES = TEAMS * FM;                 // of rows; gated: of gate and up in turn
const uint R = ROWS_OF_LANE;                   // rows of A, and columns of B, of an invocation
const uint SHARERS = LANES_USED * R / TM;      // invocations with the same rows
const uint EACH = TM * TK / LANES_USED / R;    // of k, of each of its rows
const uint MATRICES = 32 / EACH;               // of a unit
const uint PIECE_TOKENS = 16;
const uint COLUMNS = FN * R;                   // tokens of an invocation
const uint STEP_QUADS = D * 2 * COLUMNS * 2;   // of x of a step and an invocation: [unit][half][token][piece]
const bool STAGED = SLICES == 1;
const uint QUADS = STAGED ? CHUNK * STEP_QUADS * LANES_USED : 1;
const uint GROUP = SUBGROUPS * LANES_USED;
const uint COPIES = (QUADS + GROUP - 1) / GROUP;
const uint ELEMENTS = TM * TN;

// Invocations of small subgroups hold many rows: with all their loops unrolled, compilers give up.
#ifdef KEEP_LOOPS
#define UNROLL [[dont_unroll]]
#else
#define UNROLL [[unroll]]
#endif

shared uvec4 chunk[QUADS];
shared float parts[SUBGROUPS * FM * ELEMENTS];

#ifdef UNIT_SIGNED
const float OFFSET = 128 + UNIT_OFFSET;
#else
const float OFFSET = UNIT_OFFSET;
#endif

f16vec2 scaled(f16vec2 q, f16vec2 s) {
#ifdef UNIT_MINIMUM
  return fma(q, s.xx, -s.yy);
#else
  return q * s.xx;
#endif
}

// Bits 0 to 7, or less, of both halves of a word, less the offset: 0x6400 + i are the bits of 1024 + i.
f16vec2 low(uint q) {
  precise f16vec2 x = unpackFloat2x16(q | 0x64006400u) - f16vec2(1024 + OFFSET);
  return x;
}

// Word q of a unit as two pairs of float16: elements 0 and 2, 1 and 3.
void decode(uint q, f16vec2 s, out f16vec2 even, out f16vec2 odd) {
#ifdef UNIT_SIGNED
  q ^= 0x80808080u;
#endif
  even = scaled(low(q & 0x00FF00FFu), s);
  odd = scaled(low((q >> 8) & 0x00FF00FFu), s);
}

#ifdef UNIT_NIBBLES
// Bits 4 to 7 of both halves, less the offset: 16 times as large until the fma, instead of shifted.
f16vec2 high(uint q) {
  return fma(unpackFloat2x16((q & 0x00F000F0u) ^ (0x64006400u ^ UNIT_NIBBLES * 0x00010001u)), f16vec2(0.0625), f16vec2(-64 - OFFSET));
}

// The same of word q of nibbles, of its upper or lower ones.
void decodeNibbles(uint q, bool upper, f16vec2 s, out f16vec2 even, out f16vec2 odd) {
  even = scaled(upper ? high(q) : low(q & 0x000F000Fu), s);
  odd = scaled(upper ? high(q >> 8) : low((q >> 8) & 0x000F000Fu), s);
}
#endif

void store(uint t, uint row, float y) {
  if (HAS_BIAS > 0) y += bias.v[row];
  if (row < rows0) out0.v[t * rows0 + row] = y;
  else if (row < rows0 + rows1) out1.v[t * rows1 + row - rows0] = y;
  else out2.v[t * (rows - rows0 - rows1) + row - rows0 - rows1] = y;
}

// Piece `piece` of half h of unit u, for column c of those of an invocation; 0 past the last token: workgroups read
// more of x together than of weights.
uvec4 xAt(uint t0, uint lane, uint u, uint h, uint c, uint piece) {
  uint t = t0 + c / R * TN + lane / SHARERS + c % R * (TN / R);
  uint at = 4 * u + 2 * h + piece;
  return t < n ? x.v[(t / PIECE_TOKENS * (cols / 8) + at) * PIECE_TOKENS + t % PIECE_TOKENS] : uvec4(0);
}

// Quad i of the chunk that begins with step `first`.
uvec4 staged(uint t0, uint i, uint first, uint units) {
  uint lane = i % LANES_USED;
  uint quad = i / LANES_USED;
  uint u = (first * D + quad / (2 * COLUMNS * 2)) * SHARERS + lane % SHARERS;
  return xAt(t0, lane, min(u, units - 1), quad / (COLUMNS * 2) % 2, quad / 2 % COLUMNS, quad % 2);
}

void main() {
  uint wide = (n + FN * TN - 1) / (FN * TN);
  uint row0 = workgroup() / wide * (TILES * TM >> GATED);
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
  uint share = lane % SHARERS; // its unit of either half of a step
  uint slice = gl_SubgroupID % SLICES;
  uint team = gl_SubgroupID / SLICES;
  uint blocks = cols / BLOCK;
  uint units = blocks * UNITS;
  uint steps = (units + D * SHARERS - 1) / (D * SHARERS);
  uint firstBlock[FM * R];
  [[unroll]] for (uint i = 0; i < FM * R; i++) {
    uint tile = team * FM + i / R;
    uint row = row0 + (tile >> GATED) * TM + lane / SHARERS + i % R * (TM / R);
    firstBlock[i] = (min(row, rows - 1) + (GATED > 0 && tile % 2 > 0 ? rows : 0)) * blocks;
  }
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> acc[FM * FN];
  [[unroll]] for (uint i = 0; i < FM * FN; i++) acc[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(0.0);
  RawUnit raw[D][FM * R];
  [[unroll]] for (uint d = 0; d < D; d++) {
    uint u = min((slice * D + d) * SHARERS + share, units - 1);
    [[unroll]] for (uint i = 0; i < FM * R; i++) raw[d][i] = rawUnit(planes, firstBlock[i] + u / UNITS, u % UNITS);
  }
  awaitLink(link);
  uvec4 next[COPIES];
  if (STAGED) {
    [[unroll]] for (uint i = 0; i < COPIES; i++) next[i] = staged(t0, min(i * GROUP + invocation(), QUADS - 1), 0, units);
  }
  [[dont_unroll]] for (uint first = 0; first < steps; first += STAGED ? CHUNK : SLICES) {
    if (STAGED) {
      barrier();
      [[unroll]] for (uint i = 0; i < COPIES; i++) {
        if (QUADS % GROUP == 0 || i * GROUP + invocation() < QUADS) chunk[i * GROUP + invocation()] = next[i];
      }
      barrier();
      [[unroll]] for (uint i = 0; i < COPIES; i++) next[i] = staged(t0, min(i * GROUP + invocation(), QUADS - 1), first + CHUNK, units);
    }
    [[dont_unroll]] for (uint s = 0; s < (STAGED ? CHUNK : 1); s++) {
      uint step = first + (STAGED ? s : slice);
      if (step >= steps) break;
      [[unroll]] for (uint d = 0; d < D; d++) {
        uint u = (step * D + d) * SHARERS + share;
        f16vec2 scale[FM * R][2];
        uvec4 q[FM * R][2];
        UNROLL for (uint i = 0; i < FM * R; i++) {
          vec2 sa, sb;
          unitOf(raw[d][i], u % UNITS, q[i][0], q[i][1], sa, sb);
#ifdef UNIT_NIBBLES
          q[i][0] = raw[d][i].q;
          q[i][1] = q[i][0];
#endif
          bool there = UNITS % (D * SHARERS) == 0 || u < units;
          scale[i][0] = f16vec2(there ? sa : vec2(0));
          scale[i][1] = f16vec2(there ? sb : vec2(0));
          // Loads of the next step are under way during the products of this one.
          uint later = min(u + D * SHARERS * SLICES, units - 1);
          raw[d][i] = rawUnit(planes, firstBlock[i] + later / UNITS, D * SHARERS % UNITS == 0 ? u % UNITS : later % UNITS);
        }
        [[unroll]] for (uint h = 0; h < 2; h++) {
          uvec4 y[STAGED ? 1 : COLUMNS * 2];
          [[unroll]] for (uint c = 0; c < (STAGED ? 0 : COLUMNS * 2); c++) y[c] = xAt(t0, lane, min(u, units - 1), h, c / 2, c % 2);
          [[unroll]] for (uint i = 0; i < FM; i++) {
            f16vec2 pairs[R * 8];
            UNROLL for (uint r = 0; r < R; r++) {
              [[unroll]] for (uint p = 0; p < 4; p++) {
#ifdef UNIT_NIBBLES
                decodeNibbles(q[i * R + r][h][p], h == 1, scale[i * R + r][h], pairs[r * 8 + 2 * p], pairs[r * 8 + 2 * p + 1]);
#else
                decode(q[i * R + r][h][p], scale[i * R + r][h], pairs[r * 8 + 2 * p], pairs[r * 8 + 2 * p + 1]);
#endif
              }
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
                    uint piece = (f * R + c) * 2 + e / 8;
                    uvec4 of = STAGED ? chunk[(((s * D + d) * 2 + h) * COLUMNS * 2 + piece) * LANES_USED + lane] : y[STAGED ? 0 : piece];
                    mb[k % 2 + c * AT_ROW + k / 2 * AT_PAIR] = unpackFloat2x16(of[e % 8 / 2])[e % 2];
                  }
                }
                acc[i * FN + f] = coopMatMulAdd(ma, mb, acc[i * FN + f]);
              }
            }
          }
        }
      }
    }
  }
  [[unroll]] for (uint f = 0; f < FN; f++) {
    barrier();
    [[unroll]] for (uint i = 0; i < FM; i++) {
      coopMatStore(acc[i * FN + f], parts, ((team * FM + i) * SLICES + slice) * ELEMENTS, TM, gl_CooperativeMatrixLayoutColumnMajor);
    }
    barrier();
    [[dont_unroll]] for (uint e = invocation(); e < (TILES >> GATED) * ELEMENTS; e += GROUP) {
      uint t = t0 + f * TN + e % ELEMENTS / TM;
      uint tile = e / ELEMENTS;
      uint row = row0 + tile * TM + e % TM;
      float sum = 0;
      float sumUp = 0;
      [[unroll]] for (uint s = 0; s < SLICES; s++) {
        sum += parts[((tile << GATED) * SLICES + s) * ELEMENTS + e % ELEMENTS];
        if (GATED > 0) sumUp += parts[((tile * 2 + 1) * SLICES + s) * ELEMENTS + e % ELEMENTS];
      }
      if (t < n && row < rows) {
        float power = powers.v[t];
        sum *= power;
        if (GATED > 0) sum = activate(PRODUCT - 1, sum, sumUp * power);
        store(t, row, sum);
      }
    }
  }
  finishLink(link);
}
