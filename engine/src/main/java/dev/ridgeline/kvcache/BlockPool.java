package dev.ridgeline.kvcache;

import java.util.Arrays;

/**
 * The KV blocks of one group. A block is free, or in use by some sequences, or cached: used by
 * nobody, but known to the prefix tree; the cached block that was used least recently is evicted
 * when a block is needed and none is free, or when more are cached than allowed.
 */
final class BlockPool {
  private static final int NONE = -1;

  private final PrefixTree tree;
  private final int group;
  private final int cacheLimit;
  private final int[] refs;
  private final int[] node;
  private final int[] free;
  private int freeCount;

  // The cached blocks in a circle through an extra entry: after it the oldest, before it the
  // newest.
  private final int[] newer;
  private final int[] older;
  private final int ends;
  private int cachedCount;
  private long evictions;

  BlockPool(PrefixTree tree, int group, int blocks, int cacheLimit) {
    this.tree = tree;
    this.group = group;
    this.cacheLimit = cacheLimit;
    refs = new int[blocks];
    node = new int[blocks];
    Arrays.fill(node, NONE);
    free = new int[blocks];
    newer = new int[blocks + 1];
    older = new int[blocks + 1];
    ends = blocks;
    newer[ends] = ends;
    older[ends] = ends;
    for (int block = blocks - 1; block >= 0; block--) {
      free[freeCount++] = block;
    }
  }

  int blocks() {
    return refs.length;
  }

  int cached() {
    return cachedCount;
  }

  /** Blocks that {@link #take} can give. */
  int available() {
    return freeCount + cachedCount;
  }

  long evictions() {
    return evictions;
  }

  int refs(int block) {
    return refs[block];
  }

  /** A block for one user; there must be one available. */
  int take() {
    if (freeCount == 0 && !evictOldest()) {
      throw new IllegalStateException("KV group " + group + ": no block is available");
    }
    int block = free[--freeCount];
    refs[block] = 1;
    return block;
  }

  /** One more user of a block that the prefix tree knows. */
  void retain(int block) {
    if (refs[block]++ == 0) {
      unlink(block);
    }
  }

  /** One user less. */
  void release(int block) {
    if (refs[block] <= 0) {
      throw new IllegalStateException(
          "KV group " + group + ": block " + block + " was freed twice");
    }
    if (--refs[block] > 0) {
      return;
    }
    if (node[block] == NONE) {
      free[freeCount++] = block;
      return;
    }
    link(block);
    if (cachedCount > cacheLimit) {
      evictOldest();
    }
  }

  /** Makes {@code block} findable as that of {@code ofNode}, unless another one is. */
  void publish(int block, int ofNode) {
    if (tree.block(group, ofNode) == PrefixTree.NONE) {
      tree.attach(group, ofNode, block);
      node[block] = ofNode;
    }
  }

  /** Frees the cached block that was used least recently, if there is one. */
  boolean evictOldest() {
    int block = newer[ends];
    if (block == ends) {
      return false;
    }
    unlink(block);
    tree.detach(group, node[block]);
    node[block] = NONE;
    free[freeCount++] = block;
    evictions++;
    return true;
  }

  private void link(int block) {
    int newest = older[ends];
    newer[newest] = block;
    older[block] = newest;
    newer[block] = ends;
    older[ends] = block;
    cachedCount++;
  }

  private void unlink(int block) {
    newer[older[block]] = newer[block];
    older[newer[block]] = older[block];
    cachedCount--;
  }
}
