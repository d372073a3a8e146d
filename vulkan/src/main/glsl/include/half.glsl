// Activations as float16 for products of many tokens, divided by a power of two of their row, so that
// nothing overflows: x = power * half. With SPLIT a second half term follows the row of first terms,
// and both together keep 22 bits.

// A power of two that brings `largest` to between 2^13 and 2^14: high, since small float16 are flushed
// to zero by some devices. 1 for values so small that they add nothing.
float powerOf(float largest) {
  uint bits = floatBitsToUint(largest) & 0x7F800000u;
  return bits < 0x0F800000u ? 1.0 : uintBitsToFloat(bits - (13u << 23));
}

// Run i of 4 elements of a row of cols elements. `form` 0: rows; 1: rows in two terms; 2: pieces of 8
// elements of 16 rows each, [row / 16][piece][row % 16], with the two middle elements of each run
// exchanged, as mul_mat_matrix_q.comp wants them.
void storeHalf4(LivePairs to, uint row, uint cols, uint i, vec4 x, uint form) {
  if (form == 2) {
    uint piece = (row / 16 * (cols / 8) + i / 2) * 16 + row % 16;
    to.v[2 * piece + i % 2] = uvec2(packHalf2x16(x.xz), packHalf2x16(x.yw));
    return;
  }
  uint split = form;
  uint at = row * ((1 + split) * cols / 4) + i;
  uvec2 high = uvec2(packHalf2x16(x.xy), packHalf2x16(x.zw));
  // Compilers take a pack and its unpack for nothing, and the rest for zero.
  if (split > 0) high = uvec2(toHalf(x.x) | toHalf(x.y) << 16, toHalf(x.z) | toHalf(x.w) << 16);
  to.v[at] = high;
  if (split > 0) {
    vec4 rest = x - vec4(unpackHalf2x16(high.x), unpackHalf2x16(high.y));
    to.v[at + cols / 4] = uvec2(packHalf2x16(rest.xy), packHalf2x16(rest.zw));
  }
}
