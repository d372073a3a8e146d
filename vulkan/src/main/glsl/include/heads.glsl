// What lies between the products of Q, K and V and attention, for a head by 32 lanes: lane l has the elements
// l, l + 32, ... in x. The same bits in every kernel. Needs lanes.glsl, kv.glsl, turns.glsl, the constants Q8, KEY_DIM,
// VALUE_DIM, NEOX, DIMS, EPS and MAGNITUDE, and `staged`, DIM floats for every 32 lanes of a workgroup.
const uint DIM = KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM;
const uint EACH = (DIM + LANES - 1) / LANES;

// Cosines and sines of this lane's elements at position p.
void turnsAt(out vec2 turn[EACH], Words turns, uint p, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    turn[j] = e < DIMS ? rotation(turns, NEOX > 0 ? e % (DIMS / 2) : e / 2, p) * MAGNITUDE : vec2(0);
  }
}

// x / sqrt(mean(x^2) + EPS) * weight of a head of KEY_DIM where `normed`. Uniform control flow.
void normHead(inout float x[EACH], bool normed, Floats weight, uint lane) {
  precise float squares = 0;
  [[unroll]] for (uint j = 0; j < EACH; j++) squares = fma(x[j], x[j], squares);
  precise float factor = lanesSum(squares) / float(KEY_DIM);
  factor = 1.0 / sqrt(factor + EPS);
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (normed && e < KEY_DIM) x[j] *= factor * weight.v[e];
  }
}

// Rotates a head of KEY_DIM where `rotated`; `own`: where its elements lie in `staged`. Uniform control flow.
void rotateHead(inout float x[EACH], vec2 turn[EACH], bool rotated, uint own, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    if (lane + j * LANES < DIM) staged[own + lane + j * LANES] = x[j];
  }
  barrier();
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    if (rotated && e < DIMS) {
      bool second = NEOX > 0 ? e >= DIMS / 2 : e % 2 == 1;
      uint distance = NEOX > 0 ? DIMS / 2 : 1;
      float other = staged[second ? own + e - distance : own + e + distance];
      precise float straight = x[j] * turn[j].x;
      precise float y = fma(other, second ? turn[j].y : -turn[j].y, straight);
      x[j] = y;
    }
  }
}

// A head of K or V of `dim` elements into the cache from element `at` on, where `there`; x becomes what the
// cache holds. Uniform control flow.
void storeHead(inout float x[EACH], uvec2 data, uvec2 scales, uint at, uint dim, bool there, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = lane + j * LANES;
    bool mine = there && e < dim;
    if (Q8 == 0) {
      uint bits = toHalf(x[j]);
      if (mine) LiveHalfs(data).v[at + e] = uint16_t(bits);
      x[j] = f16(bits);
    } else {
      float largest = lanesMax(e < dim ? abs(x[j]) : 0); // lanes of run j hold a block of 32
      uint d = toHalf(largest / 127.0);
      float scale = f16(d);
      int level = int(clamp(scale == 0 ? 0 : roundEven(x[j] / scale), -127.0, 127.0));
      if (mine) {
        LiveBytes(data).v[at + e] = uint8_t(uint(level) & 0xFFu);
        if (lane == 0) LiveHalfs(scales).v[(at + e) / 32] = uint16_t(d);
      }
      x[j] = float(level) * scale;
    }
  }
}
