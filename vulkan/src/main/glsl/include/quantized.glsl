// Activations as int8: blocks of 32 with a float32 scale d = largest / 127, q = nearest(x / d). Of each
// block also the sums of its halves of 16, for formats whose weights have a minimum or an offset:
// quants [n, width] int8, then blocks [n, width / 32] of (d, sum of the first half | second half << 16).
#extension GL_EXT_integer_dot_product : require

// What belongs to a unit of weights: x of its elements as int8, a of the first 16 and b of the others, with their
// sums, and the scale of all.
struct X { uvec4 a; uvec4 b; float d; int na; int nb; };

// sum + the dot product of int8 in words of 4.
int dot4(int sum, uint q, uint y) { return sum + dotPacked4x8EXT(int(q), int(y)); }
int dot8(int sum, uvec2 q, uvec2 y) { return dot4(dot4(sum, q.x, y.x), q.y, y.y); }
int dot12(int sum, uvec3 q, uvec3 y) { return dot4(dot8(sum, q.xy, y.xy), q.z, y.z); }
int dot16(int sum, uvec4 q, uvec4 y) { return dot8(dot8(sum, q.xy, y.xy), q.zw, y.zw); }

int sum4(uint q) { return dot4(0, q, 0x01010101u); }
int sum16(uvec4 q) { return dot16(0, q, uvec4(0x01010101u)); }

float inverseOf(float d) { return d > 0 ? 1.0 / d : 0.0; }

uint quantize4(vec4 x, float inverse) {
  ivec4 q = ivec4(roundEven(clamp(x * inverse, vec4(-127.0), vec4(127.0)))) & 0xFF;
  return uint(q.x | q.y << 8 | q.z << 16 | q.w << 24);
}

uvec2 blockOf(float d, int first, int second) {
  return uvec2(floatBitsToUint(d), (uint(first) & 0xFFFFu) | uint(second) << 16);
}

// Quantizes 4 elements of each invocation; runs of 8 invocations hold a block of 32.
uint quantizeRun(vec4 x, out uvec2 block) {
  vec4 a = abs(x);
  float largest = max(max(a.x, a.y), max(a.z, a.w));
  [[unroll]] for (uint m = 1; m < 8; m *= 2) largest = max(largest, subgroupShuffleXor(largest, m));
  float d = largest / 127.0;
  uint word = quantize4(x, inverseOf(d));
  int sum = dotPacked4x8EXT(int(word), 0x01010101);
  sum += subgroupShuffleXor(sum, 1);
  sum += subgroupShuffleXor(sum, 2);
  int other = subgroupShuffleXor(sum, 4);
  block = blockOf(d, sum, other); // right in the first four of each run
  return word;
}
