package dev.ridgeline.tokenizer;

import java.util.Arrays;

/**
 * Byte pair encoding of one word: joins the best adjacent pair of symbols, the leftmost of equals,
 * until no pair can be joined (Sennrich et al., "Neural Machine Translation of Rare Words with
 * Subword Units", 2016). The symbols are a linked list and the pairs a heap, so a word of n symbols
 * takes O(n log n), also the million equal letters that a hostile prompt holds.
 */
abstract class PairMerger {
  /** What {@link #join} returns for a pair that does not join. */
  static final long NO_JOIN = -1;

  private static final int END = -1;
  private static final long PRIORITY = 0xFFFFFFFF00000000L;

  /** The word. */
  byte[] text = {};

  private int[] starts = new int[64];
  private int[] ids = new int[64];
  private int[] next = new int[64];
  private int[] previous = new int[64];

  /** What {@link #join} said of each symbol and the one after it. */
  private long[] joins = new long[64];

  private int symbols;

  /** Priority in the high half, left symbol in the low one; the smallest, unsigned, is first. */
  private long[] heap = new long[64];

  private int heapSize;

  /** Begins another word. */
  final void start(byte[] word) {
    text = word;
    symbols = 0;
    heapSize = 0;
  }

  /** Appends a symbol that begins at byte {@code start} of the word. */
  final void symbol(int start, int id) {
    if (symbols == ids.length) {
      int capacity = symbols * 2;
      starts = Arrays.copyOf(starts, capacity);
      ids = Arrays.copyOf(ids, capacity);
      next = Arrays.copyOf(next, capacity);
      previous = Arrays.copyOf(previous, capacity);
      joins = Arrays.copyOf(joins, capacity);
    }
    starts[symbols] = start;
    ids[symbols] = id;
    previous[symbols] = symbols - 1;
    next[symbols] = ++symbols;
  }

  /**
   * Whether two adjacent symbols join, and to what: the priority (unsigned, smaller is earlier) in
   * the high half and the id of both together in the low one, or {@link #NO_JOIN}.
   */
  abstract long join(int left, int right);

  /** Joins until nothing does. */
  final void merge() {
    if (symbols > 0) {
      next[symbols - 1] = END;
    }
    for (int symbol = 0; symbol < symbols; symbol++) {
      offer(symbol);
    }
    while (heapSize > 0) {
      long best = pop();
      int left = (int) best;
      // An entry outlives its pair when a neighbour took one of the two; the pair that stands in
      // its
      // place has an entry of its own, so equal priority is all that needs to hold.
      if (((joins[left] ^ best) & PRIORITY) == 0) {
        joinWithNext(left);
      }
    }
  }

  private void joinWithNext(int left) {
    int right = next[left];
    ids[left] = (int) joins[left];
    joins[right] = NO_JOIN;
    next[left] = next[right];
    if (next[left] != END) {
      previous[next[left]] = left;
    }
    offer(left);
    if (previous[left] != END) {
      offer(previous[left]);
    }
  }

  private void offer(int left) {
    joins[left] = next[left] == END ? NO_JOIN : join(left, next[left]);
    if (joins[left] != NO_JOIN) {
      push((joins[left] & PRIORITY) | left);
    }
  }

  /** The first symbol that remains, or a negative number. */
  final int first() {
    return symbols == 0 ? END : 0;
  }

  /** The symbol after {@code symbol} that remains, or a negative number. */
  final int after(int symbol) {
    return next[symbol];
  }

  final int id(int symbol) {
    return ids[symbol];
  }

  /** Where the symbol begins in the word. */
  final int from(int symbol) {
    return starts[symbol];
  }

  /** Where the symbol ends in the word. */
  final int to(int symbol) {
    return next[symbol] == END ? text.length : starts[next[symbol]];
  }

  private void push(long entry) {
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, heapSize * 2);
    }
    int at = heapSize++;
    while (at > 0) {
      int parent = (at - 1) >>> 1;
      if (Long.compareUnsigned(heap[parent], entry) <= 0) {
        break;
      }
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  private long pop() {
    long top = heap[0];
    long last = heap[--heapSize];
    int at = 0;
    while (true) {
      int child = 2 * at + 1;
      if (child >= heapSize) {
        break;
      }
      if (child + 1 < heapSize && Long.compareUnsigned(heap[child + 1], heap[child]) < 0) {
        child++;
      }
      if (Long.compareUnsigned(last, heap[child]) <= 0) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
