// Where a step's rows keep K and V: values are [slots, heads, dim], as f16 or as q8_0 in two planes.
struct StepRows {
  Words positions;  // [n]
  Words sequences;  // [n]
  Words blockTable; // [sequences, tableStride] of this KV group
  uint tableStride;
  uint blockTokens;
};

uint slotOf(StepRows s, uint sequence, uint position) {
  uint block = s.blockTable.v[sequence * s.tableStride + position / s.blockTokens];
  return block * s.blockTokens + position % s.blockTokens;
}

uint slot(StepRows s, uint row, uint position) {
  return slotOf(s, s.sequences.v[row], position);
}

vec4 halves4(uvec2 h) { return vec4(unpackHalf2x16(h.x), unpackHalf2x16(h.y)); }

// Elements i .. i + 7 of a plane of K or V; i is a multiple of 8. d is 1 for f16.
struct Kv8 { uvec4 bits; float d; };

Kv8 kv8(uvec2 data, uvec2 scales, uint i, uint q8) {
  if (q8 == 0) return Kv8(Quads(data).v[i / 8], 1.0);
  return Kv8(uvec4(Pairs(data).v[i / 8], 0, 0), f16(uint(Halfs(scales).v[i / 32])));
}

// The same of what a kernel of the same chain (include/chain.glsl) may have written.
Kv8 liveKv8(uvec2 data, uvec2 scales, uint i, uint q8) {
  if (q8 == 0) return Kv8(LiveQuads(data).v[i / 8], 1.0);
  return Kv8(uvec4(LivePairs(data).v[i / 8], 0, 0), f16(uint(LiveHalfs(scales).v[i / 32])));
}

vec4 low4(Kv8 k, uint q8) { return q8 == 0 ? halves4(k.bits.xy) : signedBytes4(k.bits.x) * k.d; }
vec4 high4(Kv8 k, uint q8) { return q8 == 0 ? halves4(k.bits.zw) : signedBytes4(k.bits.y) * k.d; }
