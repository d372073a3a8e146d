package dev.ridgeline.kvcache;

import java.util.Arrays;
import java.util.List;

/**
 * Which KV block holds which tokens of which sequence, and which blocks are kept for sequences that
 * begin alike (PagedAttention, Kwon et al. 2023; automatic prefix caching). Integers only: whoever
 * owns the bytes reads and writes them through the tables. Only full blocks are shared, and those
 * are never written again, so that nothing needs copying. Not thread-safe; allocates nothing per
 * token.
 *
 * <p>Layers that see the same window share a group of blocks. A sequence gives back the blocks that
 * have left a group's window; a prefix can be reused where each group still has the blocks within
 * its window of the prefix's end.
 */
public final class KvCache {
  /** A table entry whose block was given back. */
  public static final int FREED = -1;

  private final int blockTokens;
  private final int[] windows;
  private final BlockPool[] pools;
  private final PrefixTree tree;
  private final boolean caching;
  private final int[] runLengths;
  private int[] path = new int[16];

  /**
   * What one group has.
   *
   * @param window tokens a query sees, itself included; 0 = all
   * @param blocks KV blocks
   * @param cacheLimit how many of them may hold prefixes that no sequence uses now; 0 in every
   *     group turns the prefix cache off
   */
  public record Group(int window, int blocks, int cacheLimit) {
    /** Rejects groups that can hold nothing. */
    public Group {
      if (window < 0 || blocks <= 0 || cacheLimit < 0) {
        throw new IllegalArgumentException(
            "KV group: window %d, %d blocks, %d cached".formatted(window, blocks, cacheLimit));
      }
    }
  }

  /** An empty cache with blocks of {@code blockTokens} tokens. */
  public KvCache(int blockTokens, List<Group> groups) {
    if (blockTokens <= 0 || groups.isEmpty()) {
      throw new IllegalArgumentException(
          "KV cache: %d groups, blocks of %d tokens".formatted(groups.size(), blockTokens));
    }
    this.blockTokens = blockTokens;
    windows = groups.stream().mapToInt(Group::window).toArray();
    caching = groups.stream().anyMatch(g -> g.cacheLimit > 0);
    int blocks = groups.stream().mapToInt(Group::blocks).sum();
    // A node has a block, or lies on the way to one that has: twice as many nodes hold most paths.
    tree = new PrefixTree(caching ? 2 * blocks : 1, blockTokens, windows.length);
    pools = new BlockPool[windows.length];
    for (int group = 0; group < pools.length; group++) {
      Group g = groups.get(group);
      pools[group] = new BlockPool(tree, group, g.blocks, g.cacheLimit);
    }
    runLengths = new int[windows.length];
  }

  /** A table for a new sequence, without blocks. */
  public BlockTable newTable() {
    return new BlockTable(windows.length);
  }

  /** Blocks of a group. */
  public int blocks(int group) {
    return pools[group].blocks();
  }

  /** Blocks of a group that sequences use now. */
  public int inUse(int group) {
    return pools[group].blocks() - pools[group].available();
  }

  /** Blocks of a group that are kept for prefixes no sequence uses now. */
  public int cached(int group) {
    return pools[group].cached();
  }

  /** Cached blocks given up so far, over all groups. */
  public long evictions() {
    return Arrays.stream(pools).mapToLong(BlockPool::evictions).sum();
  }

  /**
   * Finds the longest stored prefix of {@code tokens[0, limit)} and makes it the beginning of
   * {@code table}, which must be empty.
   *
   * @param salt prefixes are shared between sequences of equal salt only
   * @return tokens found: a multiple of the block size
   */
  public int reuse(BlockTable table, long salt, int[] tokens, int limit) {
    if (table.entries != 0) {
      throw new IllegalStateException("the table already has " + table.entries + " entries");
    }
    table.salt = salt;
    int entries = caching ? longestPrefix(salt, tokens, limit) : 0;
    if (entries == 0) {
      return 0;
    }
    table.ensureCapacity(entries);
    for (int group = 0; group < pools.length; group++) {
      int[] blocks = table.ofGroups()[group];
      int first = firstVisible(group, entries * blockTokens);
      Arrays.fill(blocks, 0, first, FREED);
      table.firstHeld[group] = first;
      for (int i = first; i < entries; i++) {
        blocks[i] = tree.block(group, path[i]);
        pools[group].retain(blocks[i]);
      }
    }
    table.entries = entries;
    table.published = entries;
    table.node = path[entries - 1];
    tree.retain(table.node);
    table.tokens = entries * blockTokens;
    return table.tokens;
  }

  /** Entries of the longest usable prefix; their nodes are left in {@link #path}. */
  private int longestPrefix(long salt, int[] tokens, int limit) {
    Arrays.fill(runLengths, 0);
    int longest = 0;
    int node = PrefixTree.ROOT;
    for (int i = 0; (i + 1) * blockTokens <= limit; i++) {
      node = tree.find(node, salt, tokens, i * blockTokens);
      if (node == PrefixTree.NONE) {
        break;
      }
      if (i == path.length) {
        path = Arrays.copyOf(path, 2 * i);
      }
      path[i] = node;
      if (extendRuns(node, i + 1)) {
        longest = i + 1;
      }
    }
    return longest;
  }

  /**
   * Counts {@code node}; whether every group has all that a prefix of {@code entries} must show.
   */
  private boolean extendRuns(int node, int entries) {
    boolean usable = true;
    for (int group = 0; group < pools.length; group++) {
      boolean held = tree.block(group, node) != PrefixTree.NONE;
      runLengths[group] = held ? runLengths[group] + 1 : 0;
      int needed = entries - firstVisible(group, entries * blockTokens);
      usable &= runLengths[group] >= needed;
    }
    return usable;
  }

  /** The first entry that a query at {@code position} can see. */
  private int firstVisible(int group, int position) {
    int window = windows[group];
    return window == 0 ? 0 : Math.max(0, position - window + 1) / blockTokens;
  }

  /**
   * Gives {@code table} the blocks for positions up to {@code tokenCount - 1}.
   *
   * @return whether there were enough; if not, nothing has changed
   */
  public boolean reserve(BlockTable table, int tokenCount) {
    int entries = entries(tokenCount);
    int added = entries - table.entries;
    if (added <= 0) {
      return true;
    }
    for (BlockPool pool : pools) {
      if (pool.available() < added) {
        return false;
      }
    }
    table.ensureCapacity(entries);
    for (int group = 0; group < pools.length; group++) {
      int[] blocks = table.ofGroups()[group];
      for (int i = table.entries; i < entries; i++) {
        blocks[i] = pools[group].take();
      }
    }
    table.entries = entries;
    return true;
  }

  /**
   * Whether {@link #reserve} would succeed for a sequence that computes {@code tokenCount} tokens,
   * up to {@code stepTokens} of them in a step, if nobody else took blocks meanwhile.
   */
  public boolean fits(BlockTable table, int tokenCount, int stepTokens) {
    int added = entries(tokenCount) - table.entries;
    for (int group = 0; group < pools.length; group++) {
      int window = windows[group];
      int held = table.entries - table.firstHeld[group];
      int most =
          window == 0
              ? added
              : Math.min(added, windowBlocks(window, stepTokens, blockTokens) - held);
      if (pools[group].available() < most) {
        return false;
      }
    }
    return true;
  }

  /** Blocks that a sequence holds at most in a group with {@code window > 0}. */
  public static int windowBlocks(int window, int stepTokens, int blockTokens) {
    // The window of the step's first token and the step's own tokens, wherever blocks begin.
    return (window - 1 + stepTokens - 1) / blockTokens + 2;
  }

  private int entries(int tokenCount) {
    return (tokenCount + blockTokens - 1) / blockTokens;
  }

  /**
   * Tells that K and V of {@code tokens[0, count)} are stored: full blocks become reusable, and
   * those that no later token of the sequence can see are given back.
   */
  public void commit(BlockTable table, int[] tokens, int count) {
    table.tokens = count;
    if (caching) {
      publish(table, tokens, count / blockTokens);
    }
    for (int group = 0; group < pools.length; group++) {
      int first = Math.min(firstVisible(group, count), table.entries);
      int[] blocks = table.ofGroups()[group];
      for (int i = table.firstHeld[group]; i < first; i++) {
        pools[group].release(blocks[i]);
        blocks[i] = FREED;
        table.firstHeld[group] = i + 1;
      }
    }
  }

  private void publish(BlockTable table, int[] tokens, int entries) {
    while (table.published < entries && table.node != PrefixTree.NONE) {
      int i = table.published++;
      int node = childOf(table, tokens, i * blockTokens);
      tree.retain(node);
      tree.release(table.node);
      table.node = node;
      for (int group = 0; group < pools.length && node != PrefixTree.NONE; group++) {
        pools[group].publish(table.ofGroups()[group][i], node);
      }
    }
  }

  private int childOf(BlockTable table, int[] tokens, int from) {
    int node = tree.find(table.node, table.salt, tokens, from);
    if (node != PrefixTree.NONE) {
      return node;
    }
    for (BlockPool pool : pools) {
      while (tree.isFull() && pool.evictOldest()) {}
    }
    return tree.isFull() ? PrefixTree.NONE : tree.insert(table.node, table.salt, tokens, from);
  }

  /** Takes all blocks from {@code table}; those that the prefix tree knows stay cached. */
  public void release(BlockTable table) {
    for (int group = 0; group < pools.length; group++) {
      int[] blocks = table.ofGroups()[group];
      // The end first, so that it is evicted first: a beginning is of use without its end.
      for (int i = table.entries - 1; i >= table.firstHeld[group]; i--) {
        pools[group].release(blocks[i]);
      }
      table.firstHeld[group] = 0;
    }
    tree.release(table.node);
    table.node = PrefixTree.ROOT;
    table.entries = 0;
    table.published = 0;
    table.tokens = 0;
  }

  /** References that sequences hold to a block; for tests. */
  int refs(int group, int block) {
    return pools[group].refs(block);
  }

  /** Nodes of the prefix tree; for tests. */
  int nodes() {
    return tree.size();
  }
}
