// Of Q4_K and Q5_K: d, dmin f16, then 12 bytes with 6-bit scales and minimums of 8 sub-blocks of 32.
#ifdef WITH_BLOCKS
// Scale and minimum of sub-block j of the block that begins at byte `at`, as two bytes.
uint scaleAndMin(Bytes f, uint at, uint j) {
  uint a = byteAt(f, at + 4 + j % 4);
  uint b = byteAt(f, at + 8 + j % 4);
  if (j < 4) return (a & 63u) | (b & 63u) << 8;
  uint c = byteAt(f, at + 12 + j % 4);
  return (c & 15u) | (a >> 6) << 4 | ((c >> 4) | (b >> 6) << 4) << 8;
}
#endif
