// Bits i .. i + 3 as the bits 4 of four bytes.
uint highBits(uint bits, uint i) { return (((bits >> i) & 15u) * 0x00204081u & 0x01010101u) << 4; }
