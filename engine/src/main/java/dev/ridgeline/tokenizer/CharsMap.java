package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/**
 * SentencePiece's precompiled normalization: which byte sequences are replaced by which. The blob
 * is a 32-bit little-endian length, a compact double-array trie of that many bytes, and the
 * replacements, each ended by a zero byte.
 *
 * <p>A 32-bit unit of the trie holds the label in bits 0 to 7, whether a key ends here in bit 8,
 * and in bits 10 to 30 the offset to its children, times 256 if bit 9 is set; the child of the unit
 * at i for byte c is at (i ^ offset ^ c) and bears the label c. Where a key ends, the unit at (i ^
 * offset) holds bit 31 and the position of its replacement. (S. Yata, darts-clone; S. Kanda,
 * "Space- and Time-Efficient String Dictionaries", 2018.)
 *
 * <p>All of the trie that text can reach is checked when it is read, so that encoding cannot leave
 * it.
 */
final class CharsMap {
  private static final String KEY = "tokenizer.ggml.precompiled_charsmap";

  /** Released maps have a 20th of it; it bounds the time that checking takes. */
  private static final int MAX_TRIE_BYTES = 4 << 20;

  private final int[] units;
  private final byte[] replacements;

  private CharsMap(int[] units, byte[] replacements) {
    this.units = units;
    this.replacements = replacements;
  }

  /** The map of the file, one that replaces nothing if it has none. */
  static CharsMap of(Metadata metadata, Vocabulary vocabulary) {
    long[] values = metadata.has(KEY) ? metadata.integers(KEY) : new long[0];
    if (values.length == 0) {
      return new CharsMap(new int[0], new byte[0]);
    }
    ByteBuffer in = ByteBuffer.allocate(values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      if (value < -128 || value > 255) {
        throw vocabulary.refuse(KEY, "holds " + value + "; expected bytes");
      }
      in.put((byte) value);
    }
    in.flip();
    long trieBytes = in.limit() < 4 ? -1 : Integer.toUnsignedLong(in.getInt());
    boolean fits = trieBytes >= 0 && trieBytes % 4 == 0 && trieBytes < in.remaining();
    if (!fits || in.get(in.limit() - 1) != 0 || trieBytes > MAX_TRIE_BYTES) {
      throw vocabulary.refuse(
          KEY,
          "has %d bytes and announces %d of trie; expected that many and at most %d, then strings ended by 0"
              .formatted(in.limit(), trieBytes, MAX_TRIE_BYTES));
    }
    int[] units = new int[(int) trieBytes / 4];
    in.asIntBuffer().get(units);
    byte[] replacements = new byte[in.remaining() - (int) trieBytes];
    in.position(4 + (int) trieBytes).get(replacements);
    CharsMap result = new CharsMap(units, replacements);
    if (!result.isSound()) {
      throw vocabulary.refuse(KEY, "has a trie that points outside of itself or its strings");
    }
    return result;
  }

  /** Visits every unit that some text leads to. */
  private boolean isSound() {
    BitSet seen = new BitSet();
    Deque<Integer> open = new ArrayDeque<>();
    if (units.length > 0) {
      open.push(offset(units[0]));
    }
    while (!open.isEmpty()) {
      int base = open.pop();
      if ((base | 0xFF) >= units.length) {
        return false;
      }
      for (int c = 1; c < 256; c++) {
        int child = base ^ c;
        if (label(units[child]) != c || seen.get(child)) {
          continue;
        }
        seen.set(child);
        int below = child ^ offset(units[child]);
        if (endsKey(units[child])
            && (below >= units.length || value(units[below]) >= replacements.length)) {
          return false;
        }
        open.push(below);
      }
    }
    return true;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  /** The byte that leads to the unit; more than 255 in a unit that holds a value. */
  private static long label(int unit) {
    return unit & 0x800000FFL;
  }

  private static boolean endsKey(int unit) {
    return (unit & 1 << 8) != 0;
  }

  private static int value(int unit) {
    return unit & 0x7FFFFFFF;
  }

  /**
   * Appends what the text at {@code from} becomes: the replacement of the longest key there, or the
   * character as it is.
   *
   * @return the end of what was read
   */
  int normalize(byte[] text, int from, ByteArrayOutputStream out) {
    int to = from;
    int at = -1;
    int node = units.length == 0 ? 0 : offset(units[0]);
    for (int i = from; units.length > 0 && i < text.length && text[i] != 0; i++) {
      node ^= text[i] & 0xFF;
      if (label(units[node]) != (text[i] & 0xFF)) {
        break;
      }
      boolean ends = endsKey(units[node]);
      node ^= offset(units[node]);
      if (ends) {
        to = i + 1;
        at = value(units[node]);
      }
    }
    if (at < 0) {
      do {
        out.write(text[to++]);
      } while (to < text.length && (text[to] & 0xC0) == 0x80);
      return to;
    }
    while (replacements[at] != 0) {
      out.write(replacements[at++]);
    }
    return to;
  }
}
