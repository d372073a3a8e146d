// What lies between the products of Q, K and V and attention, for a head by 32 lanes: lane l has the elements
// 4 l to 4 l + 3, 4 (l + 32) ... in x. The same bits in every kernel. Needs lanes.glsl, kv.glsl, turns.glsl, the
// constants Q8, KEY_DIM, VALUE_DIM, NEOX, DIMS, EPS and MAGNITUDE, and `staged`, DIM / 4 vec4 for every 32 lanes.
// Dimensions are multiples of 8, with q8_0 of 32. Uniform control flow only.
const uint DIM = KEY_DIM > VALUE_DIM ? KEY_DIM : VALUE_DIM;
const uint EACH = (DIM / 4 + LANES - 1) / LANES;

// What an element and its partner are multiplied by.
struct Turn { vec4 own; vec4 other; };

Turn turnAt(Words turns, uint p, uint i) {
  Turn t = Turn(vec4(1), vec4(0));
  [[unroll]] for (uint c = 0; c < 4; c++) {
    uint e = 4 * i + c;
    if (e < DIMS) {
      vec2 cs = rotation(turns, NEOX > 0 ? e % (DIMS / 2) : e / 2, p) * MAGNITUDE;
      t.own[c] = cs.x;
      t.other[c] = (NEOX > 0 ? e >= DIMS / 2 : c % 2 > 0) ? cs.y : -cs.y;
    }
  }
  return t;
}

void turnsAt(out Turn turn[EACH], Words turns, uint p, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) turn[j] = turnAt(turns, p, lane + j * LANES);
}

// The head that begins at element `at` of a tensor.
void loadHead(out vec4 x[EACH], LiveVecs from, uint at, uint dim, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint i = lane + j * LANES;
    x[j] = i < dim / 4 ? from.v[at / 4 + i] : vec4(0);
  }
}

// x / sqrt(mean(x^2) + EPS) * weight of a head of KEY_DIM where `normed`.
void normHead(inout vec4 x[EACH], bool normed, Vecs weight, uint lane) {
  precise float squares = 0;
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    squares = fma(x[j].x, x[j].x, fma(x[j].y, x[j].y, fma(x[j].z, x[j].z, fma(x[j].w, x[j].w, squares))));
  }
  precise float factor = lanesSum(squares) / float(KEY_DIM);
  factor = 1.0 / sqrt(factor + EPS);
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint i = lane + j * LANES;
    if (normed && i < KEY_DIM / 4) x[j] = x[j] * (factor * weight.v[i]);
  }
}

// Rotates a head of KEY_DIM where `rotated`; `own`: where its elements lie in `staged`.
void rotateHead(inout vec4 x[EACH], Turn turn[EACH], bool rotated, uint own, uint lane) {
  const uint HALF = DIMS / 2;
  if (NEOX > 0) {
    [[unroll]] for (uint j = 0; j < EACH; j++) {
      if (lane + j * LANES < DIM / 4) staged[own + lane + j * LANES] = x[j];
    }
    barrier();
  }
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint e = 4 * (lane + j * LANES);
    if (rotated && e < DIMS) {
      vec4 other = x[j].yxwz;
      if (NEOX > 0 && HALF % 4 == 0) {
        other = staged[own + (e < HALF ? e + HALF : e - HALF) / 4];
      } else if (NEOX > 0) {
        [[unroll]] for (uint c = 0; c < 4; c++) {
          uint partner = e + c < HALF ? e + c + HALF : e + c < DIMS ? e + c - HALF : 0;
          other[c] = staged[own + partner / 4][partner % 4];
        }
      }
      precise vec4 straight = x[j] * turn[j].own;
      precise vec4 y = fma(other, turn[j].other, straight);
      x[j] = y;
    }
  }
}

// A head of K or V of `dim` elements into the cache from element `at` on, where `there`; x becomes what the
// cache holds.
void storeHead(inout vec4 x[EACH], uvec2 data, uvec2 scales, uint at, uint dim, bool there, uint lane) {
  [[unroll]] for (uint j = 0; j < EACH; j++) {
    uint i = lane + j * LANES;
    bool mine = there && i < dim / 4;
    if (Q8 == 0) {
      uvec2 bits = uvec2(toHalf(x[j].x) | toHalf(x[j].y) << 16, toHalf(x[j].z) | toHalf(x[j].w) << 16);
      if (mine) LivePairs(data).v[at / 4 + i] = bits;
      x[j] = halves4(bits);
    } else {
      vec4 a = abs(x[j]);
      float largest = max(max(a.x, a.y), max(a.z, a.w)); // a block of 32 is in 8 lanes
      [[unroll]] for (uint m = 1; m < 8; m *= 2) largest = max(largest, subgroupShuffleXor(largest, m));
      uint d = toHalf(largest / 127.0);
      float scale = f16(d);
      vec4 levels = scale == 0 ? vec4(0) : roundEven(x[j] / scale);
      ivec4 q = ivec4(clamp(levels, vec4(-127.0), vec4(127.0))) & 0xFF;
      uint word = uint(q.x | q.y << 8 | q.z << 16 | q.w << 24);
      if (mine) {
        LiveWords(data).v[at / 4 + i] = word;
        if (i % 8 == 0) LiveHalfs(scales).v[at / 32 + i / 8] = uint16_t(d);
      }
      x[j] = signedBytes4(word) * scale;
    }
  }
}
