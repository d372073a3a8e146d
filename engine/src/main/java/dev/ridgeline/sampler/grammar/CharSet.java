package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Some characters, as ranges of code points: first and last of each, rising, without overlap and
 * without surrogates.
 */
final class CharSet {
  private static final int LAST = Character.MAX_CODE_POINT;
  static final CharSet ANY = of(List.of(new int[] {0, LAST}));

  private final int[] bounds;

  private CharSet(int[] bounds) {
    this.bounds = bounds;
  }

  /** The union of ranges, each a pair of first and last. */
  static CharSet of(List<int[]> ranges) {
    var sorted = new ArrayList<int[]>();
    for (int[] range : ranges) {
      addWithoutSurrogates(sorted, range[0], range[1]);
    }
    sorted.sort((a, b) -> Integer.compare(a[0], b[0]));
    var merged = new ArrayList<int[]>();
    for (int[] range : sorted) {
      if (!merged.isEmpty() && range[0] <= merged.getLast()[1] + 1) {
        merged.getLast()[1] = Math.max(merged.getLast()[1], range[1]);
      } else {
        merged.add(range.clone());
      }
    }
    return new CharSet(merged.stream().flatMapToInt(Arrays::stream).toArray());
  }

  private static void addWithoutSurrogates(List<int[]> into, int first, int last) {
    if (first < Character.MIN_SURROGATE) {
      into.add(new int[] {first, Math.min(last, Character.MIN_SURROGATE - 1)});
    }
    if (last > Character.MAX_SURROGATE) {
      into.add(new int[] {Math.max(first, Character.MAX_SURROGATE + 1), last});
    }
  }

  /** All other characters. */
  CharSet negate() {
    var ranges = new ArrayList<int[]>();
    int from = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      if (bounds[i] > from) {
        ranges.add(new int[] {from, bounds[i] - 1});
      }
      from = bounds[i + 1] + 1;
    }
    if (from <= LAST) {
      ranges.add(new int[] {from, LAST});
    }
    return of(ranges);
  }

  CharSet minus(CharSet other) {
    // De Morgan: a - b = not (not a or b)
    var ranges = new ArrayList<int[]>();
    for (CharSet set : List.of(negate(), other)) {
      for (int i = 0; i < set.bounds.length; i += 2) {
        ranges.add(new int[] {set.bounds[i], set.bounds[i + 1]});
      }
    }
    return of(ranges).negate();
  }

  /** The ranges as GBNF writes a class. */
  String gbnf() {
    var text = new StringBuilder("[");
    for (int i = 0; i < bounds.length; i += 2) {
      text.append("\\U%08X-\\U%08X".formatted(bounds[i], bounds[i + 1]));
    }
    return text.append(']').toString();
  }

  /** The first code point; there must be one. */
  int first() {
    return bounds[0];
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  /**
   * Byte ranges, first and last of each in turn, of sequences that together are the UTF-8 of it.
   */
  List<int[]> utf8() {
    var sequences = new ArrayList<int[]>();
    for (int i = 0; i < bounds.length; i += 2) {
      split(bounds[i], bounds[i + 1], sequences);
    }
    return sequences;
  }

  /** Splits where the number of bytes changes, and so that each byte's range is independent. */
  private static void split(int first, int last, List<int[]> into) {
    for (int limit : new int[] {0x7F, 0x7FF, 0xFFFF}) {
      if (first <= limit && last > limit) {
        split(first, limit, into);
        split(limit + 1, last, into);
        return;
      }
    }
    if (last > 0x7F) {
      for (int n = 1; n <= 3; n++) {
        int mask = (1 << 6 * n) - 1;
        if ((first & ~mask) != (last & ~mask)) {
          if ((first & mask) != 0) {
            split(first, first | mask, into);
            split((first | mask) + 1, last, into);
            return;
          }
          if ((last & mask) != mask) {
            split(first, (last & ~mask) - 1, into);
            split(last & ~mask, last, into);
            return;
          }
        }
      }
    }
    byte[] low = encode(first);
    byte[] high = encode(last);
    int[] sequence = new int[2 * low.length];
    for (int i = 0; i < low.length; i++) {
      sequence[2 * i] = low[i] & 0xFF;
      sequence[2 * i + 1] = high[i] & 0xFF;
    }
    into.add(sequence);
  }

  private static byte[] encode(int codePoint) {
    return Character.toString(codePoint).getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CharSet set && Arrays.equals(bounds, set.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }
}
