package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Step;

/**
 * What the dispatches of a step depend on, beside the addresses of its slot.
 *
 * @param tokens of the step
 * @param outputs of the step
 * @param leastPart positions of a part of attention, at least
 * @param parts 0: attention is one of tiles; or workgroups that share the positions of a row of
 *     attention: no fewer than {@link AttentionRecorder#parts} of the longest row. 1,440 of 1,536
 *     workgroups of attention found nothing to do with 12 short sequences, and took longer than the
 *     others
 * @param ownTokens tokens that a sequence brings at most, 1 or {@link #MOST_OWN}; 0: more, or tiles
 */
record StepShape(int tokens, int outputs, int leastPart, int parts, int ownTokens) {
  /** Tokens of a sequence whose heads attention makes by itself. */
  static final int MOST_OWN = 4;

  /** Tokens of steps whose rows attention takes one by one. */
  static final int MAX_ROWS = 64;

  /** More than {@link Products#MAX_VEC_TOKENS} rows are taken so if none sees more positions. */
  static final int MAX_ROWS_LENGTH = 1024;

  /** With {@code decodes}, {@link MatrixProducts#decodes} the tokens. */
  static StepShape of(Step step, boolean decodes) {
    int longest = 0;
    int own = 1;
    for (int sequence = 0; sequence < step.sequenceCount(); sequence++) {
      int end = step.endRow(sequence);
      int count = end - step.firstRow(sequence);
      own = Math.max(own, count);
      longest = count == 0 ? longest : Math.max(longest, step.position(end - 1) + 1);
    }
    int tokens = step.tokenCount();
    if (tokens > MAX_ROWS || tokens > Products.MAX_VEC_TOKENS && longest > MAX_ROWS_LENGTH) {
      return new StepShape(tokens, step.outputCount(), 0, 0, 0);
    }
    int atMost = own == 1 ? 1 : own <= MOST_OWN && !decodes ? MOST_OWN : 0;
    int least = decodes ? AttentionRecorder.LONG_PART : AttentionRecorder.LEAST_PART;
    int parts = AttentionRecorder.parts(longest, least);
    return new StepShape(tokens, step.outputCount(), least, parts, atMost);
  }

  /** Whether attention is one of tiles. */
  boolean byTiles() {
    return parts == 0;
  }
}
