// Rotations. Angles are turns in fixed point: turns[pair] = radians a position / (2 pi) * 2^64, so that
// the product with a position, modulo a turn, is exact in integers where float32 would have lost its
// fraction.

// Cosine and sine of a turn / 2^32; polynomials of Cephes (Moshier) on an eighth of a turn each way.
vec2 cosSin(uint turn) {
  uint quadrant = (turn + 0x20000000u) >> 30;
  // Two kernels that rotate the same head get the same bits: compilers are left no choice.
  precise float r = float(int(turn - (quadrant << 30))) * 1.4629180792671596e-9;
  precise float z = r * r;
  precise float s = fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1) * z, r, r);
  precise float c = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2) * z, z, fma(-0.5, z, 1.0));
  vec2 cs = (quadrant & 1u) == 0 ? vec2(c, s) : vec2(-s, c);
  return (quadrant & 2u) == 0 ? cs : -cs;
}

// Cosine and sine of a pair's angle at position p.
vec2 rotation(Words turns, uint pair, uint p) {
  uint carry;
  uint low;
  umulExtended(p, turns.v[2 * pair + 1], carry, low);
  return cosSin(p * turns.v[2 * pair] + carry);
}
