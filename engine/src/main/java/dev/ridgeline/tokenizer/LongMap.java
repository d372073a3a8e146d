package dev.ridgeline.tokenizer;

import java.util.Arrays;

/**
 * A map of non-negative longs to non-negative longs, open-addressed with linear probing: one cache
 * line a lookup, where a boxed map costs three.
 */
final class LongMap {
  /** What {@link #get} returns for a key that is not there. */
  static final long NONE = -1;

  private long[] keys;
  private long[] values;
  private int size;

  LongMap(int expected) {
    int capacity = Integer.highestOneBit(Math.max(8, expected)) * 2;
    keys = new long[capacity];
    values = new long[capacity];
    Arrays.fill(keys, NONE);
  }

  long get(long key) {
    int slot = slot(key);
    return keys[slot] == key ? values[slot] : NONE;
  }

  /** Adds a pair, unless the key is there already; the value that then stands. */
  long putIfAbsent(long key, long value) {
    int slot = slot(key);
    if (keys[slot] == key) {
      return values[slot];
    }
    keys[slot] = key;
    values[slot] = value;
    if (++size > keys.length / 4 * 3) {
      grow();
    }
    return value;
  }

  private int slot(long key) {
    int mask = keys.length - 1;
    long hash = key * 0x9E3779B97F4A7C15L;
    int slot = (int) (hash >>> 32) & mask;
    while (keys[slot] != key && keys[slot] != NONE) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    long[] oldKeys = keys;
    long[] oldValues = values;
    keys = new long[oldKeys.length * 2];
    values = new long[oldKeys.length * 2];
    Arrays.fill(keys, NONE);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != NONE) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        values[slot] = oldValues[i];
      }
    }
  }
}
