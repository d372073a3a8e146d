#version 450
// Products of cooperative matrices (TM, TN, TK) out of registers, 8 sums side by side a subgroup, to
// measure how fast they can be; the result is stored only so that nothing is left out. Grid: x.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "include/types.glsl"

layout(push_constant, scalar) uniform Push {
  Floats result; // [1]
  uint rounds;
};

void main() {
  coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA> a = coopmat<float16_t, gl_ScopeSubgroup, TM, TK, gl_MatrixUseA>(float16_t(gl_SubgroupID) * float16_t(0.001));
  coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB> b = coopmat<float16_t, gl_ScopeSubgroup, TK, TN, gl_MatrixUseB>(float16_t(0.5));
  coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator> sums[8];
  [[unroll]] for (uint j = 0; j < 8; j++) sums[j] = coopmat<float, gl_ScopeSubgroup, TM, TN, gl_MatrixUseAccumulator>(float(j));
  for (uint i = 0; i < rounds; i++) {
    [[unroll]] for (uint j = 0; j < 8; j++) sums[j] = coopMatMulAdd(a, b, sums[j]);
  }
  [[unroll]] for (uint j = 1; j < 8; j++) sums[0] += sums[j];
  if (sums[0][0] == 12345.678) result.v[0] = 1;
}
