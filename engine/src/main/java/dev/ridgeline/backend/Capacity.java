package dev.ridgeline.backend;

import java.util.List;

/**
 * What an executable is built for; all of its memory follows from this and the graph.
 *
 * @param maxTokens tokens in one step
 * @param maxOutputs rows of logits in one step
 * @param maxSequences sequences in one step
 * @param maxContext positions a sequence may reach
 * @param blockTokens tokens in one KV block
 * @param kvBlocks KV blocks for each KV group of the graph
 * @param kvType element type of K and V
 */
public record Capacity(
    int maxTokens,
    int maxOutputs,
    int maxSequences,
    int maxContext,
    int blockTokens,
    List<Integer> kvBlocks,
    KvType kvType) {
  /** Rejects capacities that can hold nothing. */
  public Capacity {
    kvBlocks = List.copyOf(kvBlocks);
    if (maxTokens <= 0
        || maxOutputs <= 0
        || maxOutputs > maxTokens
        || maxSequences <= 0
        || maxContext <= 0
        || blockTokens <= 0
        || kvBlocks.stream().anyMatch(b -> b <= 0)) {
      throw new IllegalArgumentException(
          ("capacity of %d tokens, %d outputs and %d sequences a step, context %d,"
                  + " KV blocks %s of %d tokens")
              .formatted(maxTokens, maxOutputs, maxSequences, maxContext, kvBlocks, blockTokens));
    }
  }

  /** Blocks that one sequence of {@code maxContext} tokens needs without a window. */
  public int blocksPerSequence() {
    return (maxContext + blockTokens - 1) / blockTokens;
  }
}
