#version 450
// Which elements of cooperative matrices (TM, TN, TK) each invocation of a subgroup holds: for use A,
// then B, result[use][lane][element] = 16 * (row of A or column of B) + k. Grid: 1 workgroup of a subgroup.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Words result; // [2, LANES_USED, TM * TK / LANES_USED]
};

const uint EACH = TM * TK / LANES_USED;
shared float16_t tile[TM * TK];

void main() {
  uint lane = gl_SubgroupInvocationID;
  for (uint i = lane; i < TM * TK; i += LANES_USED) tile[i] = float16_t(i / TK * 16 + i % TK);
  barrier();
  coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> a;
  coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b;
  coopMatLoad(a, tile, 0, TK, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(b, tile, 0, TK, gl_CooperativeMatrixLayoutColumnMajor);
  if (a.length() != EACH || b.length() != EACH) return;
  [[unroll]] for (uint e = 0; e < EACH; e++) {
    result.v[lane * EACH + e] = uint(a[e]);
    result.v[(LANES_USED + lane) * EACH + e] = uint(b[e]);
  }
}
