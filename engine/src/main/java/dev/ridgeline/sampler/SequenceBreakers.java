package dev.ridgeline.sampler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * DRY's sequence breakers as tokens: every way in which a breaker can begin within one token (the
 * head) and go on in the next ones (its tail; empty if the head holds all of it). Built once for a
 * list of breakers and a vocabulary.
 */
public final class SequenceBreakers {
  /** No breakers. */
  public static final SequenceBreakers NONE = new SequenceBreakers(new TreeMap<>());

  /** Longer tails are cut, which bounds the search for each token. */
  private static final int MAX_TAIL = 20;

  private final int[] heads;
  private final int[][][] tails;

  private SequenceBreakers(SortedMap<Integer, List<int[]>> tailsOfHead) {
    heads = tailsOfHead.keySet().stream().mapToInt(Integer::intValue).toArray();
    tails = tailsOfHead.values().stream().map(t -> t.toArray(int[][]::new)).toArray(int[][][]::new);
  }

  /**
   * Finds the tokens that hold or begin a breaker.
   *
   * @param breakers the texts
   * @param vocabularySize token ids are below it
   * @param piece the text of a token
   * @param encode the tokens of a text, without special tokens
   */
  public static SequenceBreakers of(
      List<String> breakers,
      int vocabularySize,
      IntFunction<String> piece,
      Function<String, int[]> encode) {
    var tailsOfHead = new TreeMap<Integer, List<int[]>>();
    for (int id = 0; id < vocabularySize; id++) {
      String text = piece.apply(id);
      for (String breaker : breakers) {
        addTails(text, breaker, encode, tailsOfHead.computeIfAbsent(id, k -> new ArrayList<>()));
      }
    }
    tailsOfHead.values().removeIf(List::isEmpty);
    return new SequenceBreakers(tailsOfHead);
  }

  private static void addTails(
      String text, String breaker, Function<String, int[]> encode, List<int[]> into) {
    if (text.contains(breaker)) {
      addOnce(new int[0], into);
      return;
    }
    int first = Math.max(0, text.length() - breaker.length() + 1);
    for (int at = first; at < text.length(); at++) {
      int shared = text.length() - at;
      if (breaker.startsWith(text.substring(at))) {
        int[] tail = encode.apply(breaker.substring(shared));
        addOnce(Arrays.copyOf(tail, Math.min(tail.length, MAX_TAIL)), into);
      }
    }
  }

  private static void addOnce(int[] tail, List<int[]> into) {
    if (into.stream().noneMatch(t -> Arrays.equals(t, tail))) {
      into.add(tail);
    }
  }

  /** Whether {@code token} alone holds a whole breaker. */
  boolean isBreaker(int token) {
    int head = Arrays.binarySearch(heads, token);
    if (head >= 0) {
      for (int[] tail : tails[head]) {
        if (tail.length == 0) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Length of the tail of the longest breaker that begins with {@code tokens[at]} and ends before
   * {@code count}; -1 if none does.
   */
  int longestTail(int[] tokens, int at, int count) {
    int head = Arrays.binarySearch(heads, tokens[at]);
    int longest = -1;
    if (head >= 0) {
      for (int[] tail : tails[head]) {
        int end = at + 1 + tail.length;
        if (tail.length > longest
            && end <= count
            && Arrays.equals(tail, 0, tail.length, tokens, at + 1, end)) {
          longest = tail.length;
        }
      }
    }
    return longest;
  }
}
