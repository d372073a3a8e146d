#version 450
// Causal attention over a paged KV cache (Dao et al. 2022, online softmax): a workgroup takes one
// query head of one row, POSITIONS positions at a time; each invocation scores positions, then sums
// elements of the values. Grid: x * z = n * headCount. Scores and sums in float32.
#include "include/types.glsl"
#include "include/reduce.glsl"
#include "include/functions.glsl"
#include "include/kv.glsl"

layout(constant_id = 2) const uint KEY_DIM = 64;
layout(constant_id = 3) const uint VALUE_DIM = 64;
layout(constant_id = 4) const uint HAS_SINKS = 0;

layout(push_constant, scalar) uniform Push {
  Floats q;      // [n, headCount, KEY_DIM]
  Floats result; // [n, headCount, VALUE_DIM]
  Floats sinks;  // [headCount]
  Words keys;
  Words keyScales;
  Words values;
  Words valueScales;
  StepRows rows;
  uint n;
  uint headCount;
  uint headCountKv;
  uint window;
  float scale;
  float softCap;
};

const uint POSITIONS = 128;
const uint OWN = (VALUE_DIM / 2 + POSITIONS - 1) / POSITIONS; // pairs of values an invocation sums

shared float qs[KEY_DIM];
shared float weight[POSITIONS];
shared uint slots[POSITIONS];

void main() {
  uint row = workgroup() / headCount;
  uint head = workgroup() % headCount;
  if (row >= n) return;
  uint id = gl_LocalInvocationID.x;
  uint kvHead = head / (headCount / headCountKv);
  for (uint i = id; i < KEY_DIM; i += POSITIONS) {
    qs[i] = q.v[(row * headCount + head) * KEY_DIM + i];
  }
  uint last = rows.positions.v[row];
  uint first = window == 0 || last < window ? 0 : last - window + 1;
  float top = HAS_SINKS > 0 ? sinks.v[head] : -1.0 / 0.0;
  float total = HAS_SINKS > 0 ? 1 : 0;
  vec2 sum[OWN];
  for (uint j = 0; j < OWN; j++) sum[j] = vec2(0);
  for (uint from = first; from <= last; from += POSITIONS) {
    uint p = from + id;
    float score = -1.0 / 0.0;
    barrier();
    if (p <= last) {
      uint s = slot(rows, row, p) * headCountKv + kvHead;
      slots[id] = s;
      score = 0;
      for (uint i = 0; i < KEY_DIM; i += 2) {
        vec2 k = kv2(keys, keyScales, s * KEY_DIM + i);
        score += qs[i] * k.x + qs[i + 1] * k.y;
      }
      score *= scale;
      if (softCap > 0) score = softCap * tanhOf(score / softCap);
    }
    float newTop = max(top, workgroupMax(score));
    weight[id] = p <= last ? exp(score - newTop) : 0;
    float keep = exp(top - newTop);
    total = total * keep + workgroupSum(weight[id]);
    top = newTop;
    uint count = min(POSITIONS, last - from + 1);
    for (uint j = 0; j < OWN; j++) {
      uint pair = id + j * POSITIONS;
      if (pair < VALUE_DIM / 2) {
        sum[j] *= keep;
        for (uint i = 0; i < count; i++) {
          sum[j] += weight[i] * kv2(values, valueScales, slots[i] * VALUE_DIM + 2 * pair);
        }
      }
    }
  }
  for (uint j = 0; j < OWN; j++) {
    uint pair = id + j * POSITIONS;
    if (pair < VALUE_DIM / 2) {
      uint at = (row * headCount + head) * VALUE_DIM + 2 * pair;
      result.v[at] = sum[j].x / total;
      result.v[at + 1] = sum[j].y / total;
    }
  }
}
