// Where a step's rows keep K and V: values are [slots, heads, dim], as f16 or as q8_0 in two planes.
layout(constant_id = 1) const uint Q8 = 0;

struct StepRows {
  Words positions;  // [n]
  Words sequences;  // [n]
  Words blockTable; // [sequences, tableStride] of this KV group
  uint tableStride;
  uint blockTokens;
};

uint slot(StepRows s, uint row, uint position) {
  uint block = s.blockTable.v[s.sequences.v[row] * s.tableStride + position / s.blockTokens];
  return block * s.blockTokens + position % s.blockTokens;
}

// Elements i and i + 1 of a plane of K or V; i is even.
vec2 kv2(Words data, Words scales, uint i) {
  if (Q8 == 0) return unpackHalf2x16(data.v[i / 2]);
  float d = f16At(Halfs(scales), i / 32);
  uint q = uint(Halfs(data).v[i / 2]);
  return vec2(int(q << 24) >> 24, int(q << 16) >> 24) * d;
}
