// Quantizes y of 32 lanes, a block, of which each lane has element `at` (include/lanes.glsl, quantized.glsl).
void storeBlock(LiveBytes quants, LivePairs blocks, uint at, float y, bool there) {
  float d = lanesMax(abs(y)) / 127.0;
  int level = int(roundEven(clamp(y * inverseOf(d), -127.0, 127.0)));
  float first = lanesSum(at % 32 < 16 ? float(level) : 0.0);
  float second = lanesSum(at % 32 < 16 ? 0.0 : float(level));
  if (there) {
    quants.v[at] = uint8_t(uint(level) & 0xFFu);
    if (at % 32 == 0) blocks.v[at / 32] = blockOf(d, int(first), int(second));
  }
}
