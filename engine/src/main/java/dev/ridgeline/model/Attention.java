package dev.ridgeline.model;

/**
 * How a layer attends.
 *
 * @param rope rotation of queries and keys
 * @param scale factor of the scores
 * @param window tokens a query sees, itself included; 0 = all
 * @param softCap cap of the scores; 0 = none
 * @param headNorms whether each query and key head is normed before it is rotated
 * @param sinks whether each head has a learned score that takes probability and gives no value
 */
record Attention(
    Rope rope, float scale, int window, float softCap, boolean headNorms, boolean sinks) {
  /** Plain causal attention. */
  static Attention of(Rope rope, float scale) {
    return new Attention(rope, scale, 0, 0, false, false);
  }

  Attention withRope(Rope other) {
    return new Attention(other, scale, window, softCap, headNorms, sinks);
  }

  Attention withWindow(int tokens) {
    return new Attention(rope, scale, tokens, softCap, headNorms, sinks);
  }

  Attention withSoftCap(float cap) {
    return new Attention(rope, scale, window, cap, headNorms, sinks);
  }

  Attention withHeadNorms() {
    return new Attention(rope, scale, window, softCap, true, sinks);
  }

  Attention withSinks() {
    return new Attention(rope, scale, window, softCap, headNorms, true);
  }
}
