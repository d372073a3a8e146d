// Norms over a whole row by one workgroup of NORM_GROUP invocations, each of which keeps every
// NORM_GROUP-th run of 4 elements in registers: s = a; with NORM 2, s = a + b * scale; with NORM 3,
// s = a + norm(b, post) * scale; then out = s / sqrt(mean(s^2) + eps) * weight. Needs COLS, NORM,
// NORM_GROUP, the invocations of a workgroup, and ANY_GROUP.
#include "include/reduce.glsl"
const uint RUNS = (COLS / 4 + NORM_GROUP - 1) / NORM_GROUP;
const uint MAX_RUNS = 16; // of any COLS
const uint CHUNKS = ANY_GROUP ? RUNS * NORM_GROUP / LANES : 1;
shared float chunkSums[CHUNKS];

// 1 / sqrt(mean of squares + eps). With ANY_GROUP runs are summed 32 at a time, and these sums by 32 lanes: in the same
// order for any NORM_GROUP, as one token and several have kernels with groups of their own.
float rowFactor(vec4 normed[MAX_RUNS], float eps) {
  if (!ANY_GROUP) {
    precise float squares = 0;
    [[unroll]] for (uint j = 0; j < RUNS; j++) {
      vec4 s = normed[j];
      squares = fma(s.x, s.x, fma(s.y, s.y, fma(s.z, s.z, fma(s.w, s.w, squares))));
    }
    return 1.0 / sqrt(workgroupSum(squares) / float(COLS) + eps);
  }
  uint id = invocation();
  barrier();
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    vec4 s = normed[j];
    precise float squares = fma(s.x, s.x, fma(s.y, s.y, fma(s.z, s.z, s.w * s.w)));
    float sum = lanesSum(squares);
    if (id % LANES == 0) chunkSums[(j * NORM_GROUP + id) / LANES] = sum;
  }
  barrier();
  float sum = 0;
  for (uint i = id % LANES; i < CHUNKS; i += LANES) sum += chunkSums[i];
  return 1.0 / sqrt(lanesSum(sum) / float(COLS) + eps);
}

// The norm of row `row`; with `keep` stores s.
void normalize(out vec4 normed[MAX_RUNS], LiveVecs a, LiveVecs b, Vecs weight, Vecs post, LiveVecs sum, uint row, bool keep, float eps, float scale) {
  precise vec4 s;
  vec4 factors[MAX_RUNS]; // loaded early: they come from memory, the rest from a cache
  uint id = invocation();
  uint at = row * (COLS / 4);
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    uint i = id + j * NORM_GROUP;
    factors[j] = i < COLS / 4 ? weight.v[i] : vec4(0);
    s = i < COLS / 4 ? (NORM == 3 ? b.v[at + i] : a.v[at + i]) : vec4(0);
    if (NORM == 2 && i < COLS / 4) s = s + b.v[at + i] * scale;
    normed[j] = s;
  }
  if (NORM == 3) {
    float factor = rowFactor(normed, eps);
    [[unroll]] for (uint j = 0; j < RUNS; j++) {
      uint i = id + j * NORM_GROUP;
      if (i < COLS / 4) {
        s = a.v[at + i] + normed[j] * factor * post.v[i] * scale;
        normed[j] = s;
      }
    }
  }
  if (NORM > 1 && keep) {
    [[unroll]] for (uint j = 0; j < RUNS; j++) {
      uint i = id + j * NORM_GROUP;
      if (i < COLS / 4) sum.v[at + i] = normed[j];
    }
  }
  float factor = rowFactor(normed, eps);
  [[unroll]] for (uint j = 0; j < RUNS; j++) {
    uint i = id + j * NORM_GROUP;
    if (i < COLS / 4) {
      s = normed[j] * factor * factors[j];
      normed[j] = s;
    }
  }
}
