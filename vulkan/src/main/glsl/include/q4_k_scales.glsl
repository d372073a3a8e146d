// Of Q4_K and Q5_K.
// 6-bit scale and minimum of sub-block j, from the 16 bytes (d, dmin, scales[12]) of a header.
uvec2 scaleAndMin(uvec4 header, uint j) {
  uint shift = 8 * (j % 4);
  uint a = header.y >> shift;
  uint b = header.z >> shift;
  uint c = header.w >> shift;
  // Not a branch: in the middle of loads, compilers wait there for all of them.
  uvec2 high = uvec2((c & 15u) | ((a >> 2) & 48u), ((c >> 4) & 15u) | ((b >> 2) & 48u));
  return mix(high, uvec2(a & 63u, b & 63u), bvec2(j < 4));
}

// Scales (x, y) and minimums (z, w) of sub-blocks j and j + 1; j is even.
uvec4 scalesAndMins(uvec4 header, uint j) {
  uint shift = j * 8 & 16;
  uint a = header.y >> shift;
  uint b = header.z >> shift;
  uint c = header.w >> shift;
  uint s = mix((c & 0x0F0Fu) | ((a >> 2) & 0x3030u), a & 0x3F3Fu, j < 4);
  uint m = mix(((c >> 4) & 0x0F0Fu) | ((b >> 2) & 0x3030u), b & 0x3F3Fu, j < 4);
  return uvec4(s & 0xFFu, s >> 8 & 0xFFu, m & 0xFFu, m >> 8 & 0xFFu);
}
