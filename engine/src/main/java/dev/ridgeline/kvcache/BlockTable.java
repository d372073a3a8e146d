package dev.ridgeline.kvcache;

import java.util.Arrays;

/** The KV blocks of one sequence; filled and emptied by the {@link KvCache} that made it. */
public final class BlockTable {
  private final int[][] blocks;

  /** For every group, the first entry that is not {@link KvCache#FREED}. */
  final int[] firstHeld;

  /** Entries of every group. */
  int entries;

  /** Entries that the prefix tree was told of. */
  int published;

  /** The node of the last published entry, or {@link PrefixTree#NONE} once it takes no more. */
  int node = PrefixTree.ROOT;

  long salt;
  int tokens;

  BlockTable(int groups) {
    blocks = new int[groups][16];
    firstHeld = new int[groups];
  }

  /**
   * For each KV group, the blocks of the sequence: entry {@code p / blockTokens} holds position p.
   * Valid until the cache changes this table.
   */
  public int[][] ofGroups() {
    return blocks;
  }

  /** Tokens whose K and V are stored. */
  public int tokens() {
    return tokens;
  }

  void ensureCapacity(int count) {
    for (int group = 0; group < blocks.length; group++) {
      if (blocks[group].length < count) {
        blocks[group] = Arrays.copyOf(blocks[group], Math.max(count, 2 * blocks[group].length));
      }
    }
  }
}
