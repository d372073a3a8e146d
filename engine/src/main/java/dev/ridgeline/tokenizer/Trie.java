package dev.ridgeline.tokenizer;

/** Keys, sequences of chars or bytes, that share their prefixes; each ends in an id. */
final class Trie {
  /** The node of the empty key. */
  static final int ROOT = 0;

  /** No such node, or no key that ends there. */
  static final int NONE = -1;

  private final LongMap edges = new LongMap(1024);
  private final IntList ids = new IntList();

  Trie() {
    ids.add(NONE);
  }

  /** The node after {@code node} for {@code unit}, a char or an unsigned byte, or {@link #NONE}. */
  int child(int node, int unit) {
    return (int) edges.get((long) node << 16 | unit);
  }

  /** The node after {@code node} for {@code unit}, made if it is not there. */
  int grow(int node, int unit) {
    int child = (int) edges.putIfAbsent((long) node << 16 | unit, ids.size());
    if (child == ids.size()) {
      ids.add(NONE);
    }
    return child;
  }

  /** The id of the key that ends at {@code node}, or {@link #NONE}. */
  int id(int node) {
    return ids.get(node);
  }

  /** Ends a key at {@code node}; where two keys are equal the first keeps the node. */
  void end(int node, int id) {
    if (ids.get(node) == NONE) {
      ids.set(node, id);
    }
  }
}
