// The codebook of IQ4_NL and IQ4_XS.
const float NIBBLES[16] = float[](
    -127., -104., -83., -65., -49., -35., -22., -10., 1., 13., 25., 38., 53., 69., 89., 113.);

vec4 iq4(uint q) {
  return vec4(NIBBLES[q & 15u], NIBBLES[(q >> 8) & 15u], NIBBLES[(q >> 16) & 15u], NIBBLES[q >> 24]);
}
