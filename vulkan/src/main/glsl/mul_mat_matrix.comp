#version 450
// out[t, r] = sum_i x[t, i] w[r, i] + bias[r], or act(x gate^T) * (x up^T), for many tokens, in
// cooperative matrices: tiles of 128 rows x BN tokens, BK columns at a time through STAGES stages
// of shared memory. w is float16; x is float16 divided by a power of two of its row (include/half.glsl),
// with SPLIT in two terms. Up to three results side by side (Q, K and V). Gated: tiles of TM rows of
// gate and of up alternate. Shapes are macros, so that every array has a size before any driver sees
// it: BN, BK, GATED, LANES_USED (the subgroup's size), TM, TN, TK (the matrices of a subgroup). Grid: x * z = ceil(rows / (128 or 64 gated)), y = ceil(n / BN).
// Sums in float32.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "include/types.glsl"
#include "include/lanes.glsl"
#include "include/functions.glsl"

layout(constant_id = 1) const uint PRODUCT = 0; // 1 + a: gated by activation a, with GATED
layout(constant_id = 2) const uint HAS_BIAS = 0;
layout(constant_id = 3) const uint SPLIT = 0;
layout(constant_id = 4) const uint STAGES = 2;
layout(constant_id = 5) const uint FOURS = 0; // 1: numbers of rows, all of them, are multiples of 4

layout(push_constant, scalar) uniform Push {
  Quads w;       // [rows of w, cols] float16
  Quads x;       // [n, cols], or [n, 2 cols] with SPLIT; readable up to a multiple of BN rows
  Floats powers; // [n]
  Floats out0;   // [n, rows0]
  Floats out1;   // [n, rows1]
  Floats out2;   // [n, allRows - rows0 - rows1]
  Floats bias;   // [allRows]
  uint cols;
  uint rows;    // of the results, in this dispatch
  uint n;
  uint rows0;
  uint rows1;
  uint allRows;
  uint first;   // result's row of row 0 of w
  uint up;      // first row of up in w, gated
};

const uint BM = 128;
const uint QUADS = BK / 8;
const uint STRIDE = (BK + 8) / 8; // in 16 bytes; padded, so that rows start in different banks
const uint GROUP = 256;
const uint SUBGROUPS = GROUP / LANES_USED;
const uint WN = SUBGROUPS * BN / 256;
const uint WM = SUBGROUPS / WN;
const uint FM = BM / WM / TM;
const uint FN = BN / WN / TN;
const uint STAGE = (BM + BN) * STRIDE;
const uint ROWS = BM >> GATED; // results of a tile
const uint PART = TM * TN / 4; // a matrix of results, in 16 bytes
const uint PARTS = SUBGROUPS * PART << GATED;
const uint A_LOADS = BM * BK / 8 / GROUP;
const uint B_LOADS = BN * BK / 8 / GROUP;

// Both the columns of all stages and, in the end, the results of all subgroups.
shared uvec4 tile[STAGES * STAGE > PARTS ? STAGES * STAGE : PARTS];

uint weightRow(uint row0, uint d) {
  if (GATED == 0) return min(row0 + d, rows - 1);
  uint row = min(row0 + d / (2 * TM) * TM + d % TM, rows - 1);
  return d / TM % 2 == 0 ? row : up + row;
}

void store(uint t, uint row, float y) {
  if (t >= n || row >= rows) return;
  uint r = first + row;
  if (HAS_BIAS > 0) y += bias.v[r];
  if (r < rows0) out0.v[t * rows0 + r] = y;
  else if (r < rows0 + rows1) out1.v[t * rows1 + r - rows0] = y;
  else out2.v[t * (allRows - rows0 - rows1) + r - rows0 - rows1] = y;
}

// Rows row .. row + 3; row is a multiple of 4.
void store4(uint t, uint row, vec4 y) {
  if (FOURS == 0) {
    [[unroll]] for (uint c = 0; c < 4; c++) store(t, row + c, y[c]);
    return;
  }
  if (t >= n || row >= rows) return;
  uint r = first + row;
  if (HAS_BIAS > 0) y += Vecs(bias).v[r / 4];
  if (r < rows0) Vecs(out0).v[(t * rows0 + r) / 4] = y;
  else if (r < rows0 + rows1) Vecs(out1).v[(t * rows1 + r - rows0) / 4] = y;
  else Vecs(out2).v[(t * (allRows - rows0 - rows1) + r - rows0 - rows1) / 4] = y;
}

void main() {
  uint row0 = workgroup() * ROWS;
  uint t0 = gl_WorkGroupID.y * BN;
  if (row0 >= rows) return;
  uint id = invocation();
  uint wm = gl_SubgroupID / WN;
  uint wn = gl_SubgroupID % WN;
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> acc[FM * FN];
  [[unroll]] for (uint i = 0; i < FM * FN; i++) acc[i] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(0.0);
  uint aAt[A_LOADS];
  uint bAt[B_LOADS];
  uint xCols = cols * (1 + SPLIT);
  [[unroll]] for (uint j = 0; j < A_LOADS; j++) {
    uint i = id + j * GROUP;
    aAt[j] = weightRow(row0, i / QUADS) * (cols / 8) + i % QUADS;
  }
  [[unroll]] for (uint j = 0; j < B_LOADS; j++) bAt[j] = (t0 + (id + j * GROUP) / QUADS) * (xCols / 8) + id % QUADS;
  uvec4 a[A_LOADS];
  uvec4 b[B_LOADS];
  // Loads of the next columns are under way during the products of these.
  [[unroll]] for (uint j = 0; j < A_LOADS; j++) a[j] = w.v[aAt[j]];
  [[unroll]] for (uint j = 0; j < B_LOADS; j++) b[j] = x.v[bAt[j]];
  uint to = id / QUADS * STRIDE + id % QUADS;
  [[unroll]] for (uint j = 0; j < A_LOADS; j++) tile[to + j * (GROUP / QUADS) * STRIDE] = a[j];
  [[unroll]] for (uint j = 0; j < B_LOADS; j++) tile[to + (BM + j * (GROUP / QUADS)) * STRIDE] = b[j];
  barrier();
  uint from = 0;
  for (uint k = BK; k <= xCols; k += BK) {
    // Past the end, the loads of the last columns are done again, for nothing.
    uint next = min(k, xCols - BK);
    uint ka = SPLIT > 0 && next >= cols ? next - cols : next;
    [[unroll]] for (uint j = 0; j < A_LOADS; j++) a[j] = w.v[aAt[j] + ka / 8];
    [[unroll]] for (uint j = 0; j < B_LOADS; j++) b[j] = x.v[bAt[j] + next / 8];
    [[unroll]] for (uint kk = 0; kk < BK; kk += TK) {
      coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> ma[FM];
      [[unroll]] for (uint i = 0; i < FM; i++) {
        coopMatLoad(ma[i], tile, from + (wm * FM + i) * TM * STRIDE + kk / 8, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      }
      [[unroll]] for (uint j = 0; j < FN; j++) {
        coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> mb;
        coopMatLoad(mb, tile, from + (BM + (wn * FN + j) * TN) * STRIDE + kk / 8, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint i = 0; i < FM; i++) acc[i * FN + j] = coopMatMulAdd(ma[i], mb, acc[i * FN + j]);
      }
    }
    if (STAGES == 1) barrier();
    from = STAGES == 1 ? 0 : STAGE - from;
    [[unroll]] for (uint j = 0; j < A_LOADS; j++) tile[from + to + j * (GROUP / QUADS) * STRIDE] = a[j];
    [[unroll]] for (uint j = 0; j < B_LOADS; j++) tile[from + to + (BM + j * (GROUP / QUADS)) * STRIDE] = b[j];
    barrier();
  }
  // Each subgroup takes its results through shared memory, to know their rows and tokens.
  uint own = gl_SubgroupID * PART << GATED;
  [[unroll]] for (uint i = 0; i < FM; i += 1 + GATED) {
    [[unroll]] for (uint j = 0; j < FN; j++) {
      coopMatStore(acc[i * FN + j], tile, own, TM / 4, gl_CooperativeMatrixLayoutColumnMajor);
#if GATED
      coopMatStore(acc[(i + GATED) * FN + j], tile, own + PART, TM / 4, gl_CooperativeMatrixLayoutColumnMajor);
#endif
      controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
      [[unroll]] for (uint e0 = 0; e0 < PART; e0 += LANES_USED) {
        uint e = e0 + gl_SubgroupInvocationID;
        uint t = t0 + (wn * FN + j) * TN + e * 4 / TM;
        uint row = row0 + (wm * FM + i) / (1 + GATED) * TM + e * 4 % TM;
        float power = powers.v[min(t, n - 1)];
        vec4 y = uintBitsToFloat(tile[own + e]) * power;
#if GATED
        vec4 u = uintBitsToFloat(tile[own + PART + e]) * power;
        [[unroll]] for (uint c = 0; c < 4; c++) y[c] = activate(PRODUCT - 1, y[c], u[c]);
#endif
        store4(t, row, y);
      }
      controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
    }
  }
}
