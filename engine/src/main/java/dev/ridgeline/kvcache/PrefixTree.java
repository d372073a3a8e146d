package dev.ridgeline.kvcache;

import java.util.Arrays;

/**
 * Which full blocks of tokens are known, as a tree: a node is one block of token ids after its
 * parent's, and holds the KV block with their K and V of each group that still has it. Nodes are
 * found by a hash of parent and tokens and then compared, so that two prefixes are never mixed up.
 *
 * <p>A node lives while something refers to it: a child, a KV block, or the table of a sequence.
 */
final class PrefixTree {
  static final int ROOT = -1;
  static final int NONE = -2;

  private final int blockTokens;
  private final int[] tokens;
  private final int[] parent;
  private final long[] salt;
  private final int[] refs;
  private final int[] nextInBucket;
  private final int[] bucket;
  private final int[] free;
  private int freeCount;

  /** For every group, the KV block of each node, or {@link #NONE}. */
  private final int[][] block;

  PrefixTree(int capacity, int blockTokens, int groups) {
    this.blockTokens = blockTokens;
    tokens = new int[Math.multiplyExact(capacity, blockTokens)];
    parent = new int[capacity];
    salt = new long[capacity];
    refs = new int[capacity];
    nextInBucket = new int[capacity];
    bucket = new int[Integer.highestOneBit(capacity) * 2];
    Arrays.fill(bucket, NONE);
    free = new int[capacity];
    block = new int[groups][capacity];
    for (int node = 0; node < capacity; node++) {
      free[freeCount++] = node;
    }
  }

  boolean isFull() {
    return freeCount == 0;
  }

  /** Nodes alive. */
  int size() {
    return free.length - freeCount;
  }

  int block(int group, int node) {
    return block[group][node];
  }

  /**
   * The child of {@code of} with the tokens {@code [from, from + blockTokens)} of {@code text}, or
   * {@link #NONE}.
   *
   * @param key separates prefixes that must not be shared, such as those of different adapters
   */
  int find(int of, long key, int[] text, int from) {
    int node = bucket[bucketOf(of, key, text, from)];
    while (node != NONE && !is(node, of, key, text, from)) {
      node = nextInBucket[node];
    }
    return node;
  }

  /** Adds that child, which must not be there yet; the tree must not be full. */
  int insert(int of, long key, int[] text, int from) {
    int node = free[--freeCount];
    int b = bucketOf(of, key, text, from);
    System.arraycopy(text, from, tokens, node * blockTokens, blockTokens);
    parent[node] = of;
    salt[node] = key;
    refs[node] = 0;
    nextInBucket[node] = bucket[b];
    bucket[b] = node;
    for (int[] blockOfGroup : block) {
      blockOfGroup[node] = NONE;
    }
    retain(of);
    return node;
  }

  void attach(int group, int node, int kvBlock) {
    block[group][node] = kvBlock;
    retain(node);
  }

  void detach(int group, int node) {
    block[group][node] = NONE;
    release(node);
  }

  void retain(int node) {
    if (node >= 0) {
      refs[node]++;
    }
  }

  /** Drops one reference to {@code node}, and the nodes that nothing refers to any more. */
  void release(int node) {
    int at = node;
    while (at >= 0 && --refs[at] == 0) {
      unlink(at);
      free[freeCount++] = at;
      at = parent[at];
    }
  }

  private void unlink(int node) {
    int b = bucketOf(parent[node], salt[node], tokens, node * blockTokens);
    if (bucket[b] == node) {
      bucket[b] = nextInBucket[node];
      return;
    }
    int before = bucket[b];
    while (nextInBucket[before] != node) {
      before = nextInBucket[before];
    }
    nextInBucket[before] = nextInBucket[node];
  }

  private boolean is(int node, int of, long key, int[] text, int from) {
    int at = node * blockTokens;
    return parent[node] == of
        && salt[node] == key
        && Arrays.equals(tokens, at, at + blockTokens, text, from, from + blockTokens);
  }

  private int bucketOf(int of, long key, int[] text, int from) {
    long hash = key * 31 + of;
    for (int i = from; i < from + blockTokens; i++) {
      hash = (hash ^ text[i]) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 29;
    }
    return (int) (hash >>> 32) & (bucket.length - 1);
  }
}
