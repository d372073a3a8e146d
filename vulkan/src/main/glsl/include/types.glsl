// Views of device memory, by address, and conversions that every kernel shares.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Floats { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Words { uint v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer Quads { uvec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer Halfs { uint16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 1) buffer Bytes { uint8_t v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 16) buffer Vecs { vec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Pairs { uvec2 v[]; };

// The same of memory that a dispatch beside this one writes: not through a cache of one multiprocessor.
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer LiveFloats { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer LiveWords { uint v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) coherent buffer LiveHalfs { uint16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 1) coherent buffer LiveBytes { uint8_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) coherent buffer LivePairs { uvec2 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) coherent buffer LiveQuads { uvec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) coherent buffer LiveVecs { vec4 v[]; };

layout(local_size_x_id = 0) in;
// Invocations of a subgroup: every pipeline is compiled for one size.
layout(constant_id = 31) const uint SUBGROUP = 32;

// An address 16 * units bytes further on.
uvec2 further(uvec2 address, uint units) {
  uint carry;
  uint low = uaddCarry(address.x, units << 4, carry);
  return uvec2(low, address.y + (units >> 28) + carry);
}

// An address rows * stride + more bytes further on.
uvec2 further(uvec2 address, uint rows, uint stride, uint more) {
  uint high, low, carry, carryMore;
  umulExtended(rows, stride, high, low);
  low = uaddCarry(low, more, carryMore);
  low = uaddCarry(low, address.x, carry);
  return uvec2(low, address.y + high + carry + carryMore);
}

// Number of this workgroup in a grid of x * z: one dimension may only have 65,535.
uint workgroup() { return gl_WorkGroupID.x + gl_NumWorkGroups.x * gl_WorkGroupID.z; }

float f16(uint bits) { return unpackHalf2x16(bits & 0xFFFFu).x; }

float f16At(Halfs h, uint i) { return unpackHalf2x16(uint(h.v[i])).x; }

vec4 bytes4(uint w) { return vec4(w & 0xFFu, (w >> 8) & 0xFFu, (w >> 16) & 0xFFu, w >> 24); }

vec4 signedBytes4(uint w) {
  ivec4 b = ivec4(w << 24, w << 16, w << 8, w) >> 24;
  return vec4(b);
}

// The nearest float16, ties to even: packHalf2x16 may round either way.
uint toHalf(float x) {
  uint bits = floatBitsToUint(x);
  uint sign = (bits >> 16) & 0x8000u;
  uint abs = bits & 0x7FFFFFFFu;
  if (abs > 0x7F800000u) return sign | 0x7E00u;
  if (abs >= 0x477FF000u) return sign | 0x7C00u;
  if (abs < 0x38800000u) {
    // Below 2^-14: a multiple of 2^-24, which adding 0.5 (whose last bit is 2^-24) rounds to.
    precise float shifted = uintBitsToFloat(abs) + 0.5;
    return sign | (floatBitsToUint(shifted) - 0x3F000000u);
  }
  uint odd = (abs >> 13) & 1u;
  return sign | ((abs - 0x38000000u + 0xFFFu + odd) >> 13);
}
