package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;

/**
 * Checks that a compiled graph can run a step without reading or writing out of bounds; every
 * backend calls it first. Allocates nothing unless it refuses.
 */
public final class StepCheck {
  private final Capacity capacity;
  private final int vocabularySize;
  private final int[] windows;

  /**
   * For steps of {@code graph} at {@code capacity}.
   *
   * @throws IllegalArgumentException if the capacity does not give every KV group its blocks
   */
  public StepCheck(Graph graph, Capacity capacity) {
    this.capacity = capacity;
    vocabularySize =
        graph.ops().stream()
            .filter(Op.Embed.class::isInstance)
            .mapToInt(op -> ((Op.Embed) op).table().rows())
            .min()
            .orElse(Integer.MAX_VALUE);
    windows = graph.kvGroups().stream().mapToInt(Integer::intValue).toArray();
    if (windows.length != capacity.kvBlocks().size()) {
      throw new IllegalArgumentException(
          "the graph has %d KV groups (windows %s), the capacity has blocks for %d"
              .formatted(windows.length, graph.kvGroups(), capacity.kvBlocks().size()));
    }
  }

  /**
   * Accepts {@code step} or says which row is out of bounds.
   *
   * @throws IllegalArgumentException with what, where, found and expected
   */
  public void check(Step step) {
    check(step, 0);
  }

  /**
   * The same for a step whose tokens may be {@link Step#choice} of one with {@code choices}
   * outputs.
   */
  public void check(Step step, int choices) {
    require("tokens", step.tokenCount(), capacity.maxTokens());
    require("outputs", step.outputCount(), capacity.maxOutputs());
    require("sequences", step.sequenceCount(), capacity.maxSequences());
    for (int row = 0; row < step.tokenCount(); row++) {
      if (step.token(row) >= 0 || step.token(row) < Step.choice(choices - 1)) {
        requireIndex(row, "token", step.token(row), vocabularySize);
      }
      requireIndex(row, "position", step.position(row), capacity.maxContext());
    }
    for (int sequence = 0; sequence < step.sequenceCount(); sequence++) {
      int first = step.firstRow(sequence);
      int last = step.endRow(sequence) - 1;
      for (int row = first + 1; row <= last; row++) {
        if (step.position(row) <= step.position(row - 1)) {
          throw new IllegalArgumentException(
              "row %d of the step: position %d does not rise above its predecessor's, %d"
                  .formatted(row, step.position(row), step.position(row - 1)));
        }
      }
      for (int group = 0; last >= first && group < windows.length; group++) {
        checkBlocks(step, sequence, group);
      }
    }
  }

  /** All blocks from the first position that the first row sees to the last row's. */
  private void checkBlocks(Step step, int sequence, int group) {
    int[] table = step.blockTable(sequence, group);
    int row = step.firstRow(sequence);
    int last = step.position(step.endRow(sequence) - 1) / capacity.blockTokens();
    requireIndex(row, "last block", last, table.length);
    int first = firstVisible(step.position(row), windows[group]) / capacity.blockTokens();
    for (int i = first; i <= last; i++) {
      requireIndex(row, "KV block", table[i], capacity.kvBlocks().get(group));
    }
  }

  /** The first position that a query at {@code position} sees through {@code window} (0 = all). */
  public static int firstVisible(int position, int window) {
    return window == 0 ? 0 : Math.max(0, position - window + 1);
  }

  private static void require(String what, int found, int most) {
    if (found > most) {
      throw new IllegalArgumentException(
          "the step has %d %s; compiled for at most %d".formatted(found, what, most));
    }
  }

  private static void requireIndex(int row, String what, int found, int end) {
    if (found < 0 || found >= end) {
      throw new IllegalArgumentException(
          "row %d of the step: %s %d; expected 0 to %d".formatted(row, what, found, end - 1));
    }
  }
}
