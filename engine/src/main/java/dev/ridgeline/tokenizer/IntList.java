package dev.ridgeline.tokenizer;

import java.util.Arrays;

/** A growing list of ints. */
final class IntList {
  private int[] values = new int[64];
  private int size;

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size * 2);
    }
    values[size++] = value;
  }

  void addAll(int[] more) {
    if (values.length - size < more.length) {
      values = Arrays.copyOf(values, Math.max(size * 2, size + more.length));
    }
    System.arraycopy(more, 0, values, size, more.length);
    size += more.length;
  }

  int get(int index) {
    return values[index];
  }

  void set(int index, int value) {
    values[index] = value;
  }

  int size() {
    return size;
  }

  void truncate(int newSize) {
    size = newSize;
  }

  /** A copy of the values from {@code from} on. */
  int[] from(int from) {
    return Arrays.copyOfRange(values, from, size);
  }
}
