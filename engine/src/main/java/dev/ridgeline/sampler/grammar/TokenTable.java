package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/**
 * The bytes of a vocabulary's tokens, sorted, so that a walk over all of them reads common
 * beginnings once.
 */
public final class TokenTable {
  private final int size;
  private final byte[][] bytesOfId;
  private final int[] ends;

  /** Ids in the order of their bytes, without those that have none. */
  final int[] sorted;

  /** How many bytes each of these has in common with the one before. */
  final int[] common;

  final int longest;

  /**
   * @param size of the vocabulary
   * @param bytes of a token
   * @param isText whether a token is part of the text: control tokens are not
   * @param ends tokens that end a text
   */
  public TokenTable(int size, IntFunction<byte[]> bytes, IntPredicate isText, int[] ends) {
    this.size = size;
    this.ends = ends.clone();
    bytesOfId = new byte[size][];
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < size; id++) {
      int token = id;
      boolean text = isText.test(id) && Arrays.stream(ends).noneMatch(e -> e == token);
      bytesOfId[id] = text ? bytes.apply(id) : new byte[0];
      if (bytesOfId[id].length > 0) {
        ids.add(id);
      }
    }
    ids.sort((a, b) -> Arrays.compareUnsigned(bytesOfId[a], bytesOfId[b]));
    sorted = ids.stream().mapToInt(Integer::intValue).toArray();
    common = new int[sorted.length];
    int most = 0;
    for (int i = 0; i < sorted.length; i++) {
      most = Math.max(most, bytesOfId[sorted[i]].length);
      if (i > 0) {
        int first = Arrays.mismatch(bytesOfId[sorted[i - 1]], bytesOfId[sorted[i]]);
        common[i] = first < 0 ? bytesOfId[sorted[i]].length : first;
      }
    }
    longest = most;
  }

  int size() {
    return size;
  }

  byte[] bytes(int id) {
    return bytesOfId[id];
  }

  int[] ends() {
    return ends;
  }

  boolean isEnd(int id) {
    return Arrays.stream(ends).anyMatch(e -> e == id);
  }
}
