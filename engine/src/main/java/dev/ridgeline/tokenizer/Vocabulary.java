package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataValue;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * The tokens of a file: text, spelling in bytes, kind and score of each id, and which id a spelling
 * has.
 *
 * <p>Tolerated, because released files have them: spellings that occur twice (the lower id is the
 * one that text becomes), empty pieces (no text becomes them), no {@code token_type} (all are
 * normal, but for {@code <0x0A>} and its like) and no {@code scores} (all 0). Refused: arrays of
 * another length than the tokens, unknown types, scores that are not a number, byte tokens that
 * name no byte or another's.
 */
final class Vocabulary {
  static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";
  private static final String SCORES = "tokenizer.ggml.scores";

  /** No such id. */
  static final int NONE = -1;

  private final Metadata.Origin origin;
  private final List<String> texts;
  private final TokenKind[] kinds;
  private final float[] scores;
  private final byte[] spellings;
  private final int[] ends;
  private final int[] slots;
  private final int[] byteIds = new int[256];
  private int longest;
  private int duplicates;

  /**
   * @param byteLevel whether normal tokens are written in the alphabet of {@link ByteLevel}
   */
  Vocabulary(Metadata metadata, boolean byteLevel) {
    origin = metadata.origin();
    texts = metadata.strings(TOKENS);
    if (texts.isEmpty()) {
      throw refuse(TOKENS, "is empty; expected at least one token");
    }
    kinds = kinds(metadata);
    scores = scores(metadata);
    ends = new int[texts.size()];
    spellings = spell(byteLevel);
    slots = index();
    Arrays.setAll(byteIds, b -> find(new byte[] {(byte) b}, 0, 1));
    for (int id = size() - 1; id >= 0; id--) {
      if (kinds[id] == TokenKind.BYTE) {
        int value = spellings[start(id)] & 0xFF;
        int later = byteIds[value];
        if (later != NONE && kinds[later] == TokenKind.BYTE) {
          throw refuse(
              TOKENS, "has byte token '%s' twice: %d and %d".formatted(texts.get(id), id, later));
        }
        byteIds[value] = id;
      }
    }
  }

  /**
   * Checks that the text of {@code id}, which has a role by {@code key}, means that token alone: a
   * chat template writes tokens by their text.
   */
  void requireOneSpelling(String key, int id) {
    String text = texts.get(id);
    if (text.isEmpty()) {
      throw refuse(
          key, "names token %d, which is empty; expected a token with a text".formatted(id));
    }
    for (int other = 0; other < size(); other++) {
      if (other != id
          && kinds[id].isSpecial()
          && kinds[other].isSpecial()
          && texts.get(other).equals(text)) {
        throw refuse(
            key,
            "names token %d '%s', but token %d is spelled so too; which one a text means cannot be told"
                .formatted(id, text, other));
      }
    }
  }

  private TokenKind[] kinds(Metadata metadata) {
    TokenKind[] result = new TokenKind[texts.size()];
    if (!metadata.has(TYPES)) {
      Arrays.setAll(result, id -> byteValue(texts.get(id)) < 0 ? TokenKind.NORMAL : TokenKind.BYTE);
      return result;
    }
    long[] types = metadata.integers(TYPES);
    requireLength(TYPES, types.length);
    TokenKind[] known = TokenKind.values();
    for (int id = 0; id < types.length; id++) {
      if (types[id] < 0 || types[id] > known.length) {
        throw refuse(TYPES, "of token %d is %d; expected 1 to 6".formatted(id, types[id]));
      }
      // 0 is "undefined" in the format and carries nothing that would set the token apart.
      result[id] = types[id] == 0 ? TokenKind.NORMAL : known[(int) types[id] - 1];
    }
    return result;
  }

  private float[] scores(Metadata metadata) {
    float[] result = new float[texts.size()];
    if (!metadata.has(SCORES)) {
      return result;
    }
    if (metadata.values().get(SCORES) instanceof MetadataValue.Ints) {
      long[] values = metadata.integers(SCORES);
      requireLength(SCORES, values.length);
      for (int id = 0; id < values.length; id++) {
        result[id] = values[id];
      }
      return result;
    }
    double[] values = metadata.numbers(SCORES);
    requireLength(SCORES, values.length);
    for (int id = 0; id < values.length; id++) {
      if (Double.isNaN(values[id])) {
        throw refuse(SCORES, "of token " + id + " is NaN; expected a number");
      }
      result[id] = (float) values[id];
    }
    return result;
  }

  private void requireLength(String key, int found) {
    if (found != texts.size()) {
      throw refuse(
          key, "has %d elements; expected %d, one for each token".formatted(found, texts.size()));
    }
  }

  private byte[] spell(boolean byteLevel) {
    long room = 0;
    for (String text : texts) {
      room += 3L * text.length();
    }
    if (room > Integer.MAX_VALUE - 8) {
      throw refuse(TOKENS, "has " + room / 3 + " characters; expected less than 700 million");
    }
    byte[] result = new byte[(int) room];
    int end = 0;
    for (int id = 0; id < ends.length; id++) {
      int from = end;
      end = spell(id, byteLevel, result, end);
      ends[id] = end;
      longest = Math.max(longest, end - from);
    }
    return Arrays.copyOf(result, end);
  }

  private int spell(int id, boolean byteLevel, byte[] out, int at) {
    String text = texts.get(id);
    if (kinds[id] == TokenKind.BYTE) {
      int value = byteValue(text);
      if (value < 0) {
        throw refuse(
            TOKENS, "has byte token %d '%s'; expected <0x00> to <0xFF>".formatted(id, text));
      }
      out[at] = (byte) value;
      return at + 1;
    }
    if (byteLevel && (kinds[id] == TokenKind.NORMAL || kinds[id] == TokenKind.UNUSED)) {
      return ByteLevel.decode(text, 0, text.length(), out, at);
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(utf8, 0, out, at, utf8.length);
    return at + utf8.length;
  }

  /** The byte that {@code <0x0A>} names, -1 for any other text. */
  private static int byteValue(String text) {
    if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') {
      return -1;
    }
    return HexFormat.isHexDigit(text.charAt(3)) && HexFormat.isHexDigit(text.charAt(4))
        ? HexFormat.fromHexDigits(text, 3, 5)
        : -1;
  }

  private int[] index() {
    int[] result = new int[Integer.highestOneBit(Math.max(8, size())) * 4];
    for (int id = 0; id < size(); id++) {
      if (kinds[id].isText() && start(id) < ends[id]) {
        int slot = slot(result, spellings, start(id), ends[id]);
        if (result[slot] == 0) {
          result[slot] = id + 1;
        } else {
          duplicates++;
        }
      }
    }
    return result;
  }

  /** The slot that holds the spelling's id plus 1, or the empty one (0) where it would go. */
  private int slot(int[] table, byte[] text, int from, int to) {
    long hash = 0xCBF29CE484222325L;
    for (int i = from; i < to; i++) {
      hash = (hash ^ text[i]) * 0x100000001B3L;
    }
    int mask = table.length - 1;
    int slot = (int) (hash ^ hash >>> 32) & mask;
    while (table[slot] != 0 && !isSpelled(table[slot] - 1, text, from, to)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private boolean isSpelled(int id, byte[] text, int from, int to) {
    return Arrays.equals(spellings, start(id), ends[id], text, from, to);
  }

  /** The id of the text token spelled {@code text[from, to)}, or {@link #NONE}. */
  int find(byte[] text, int from, int to) {
    int id = to - from > longest ? NONE : slots[slot(slots, text, from, to)] - 1;
    return id != NONE && kinds[id].isText() ? id : NONE;
  }

  /** The id for one byte: its byte token, else the token spelled so, else {@link #NONE}. */
  int byteId(byte b) {
    return byteIds[b & 0xFF];
  }

  /**
   * Appends the ids of the bytes {@code text[from, to)}, which no piece spells; where the
   * vocabulary lacks one of them, the unknown token instead, or nothing if it has none either.
   */
  void addBytes(byte[] text, int from, int to, int unknown, IntList ids) {
    int start = ids.size();
    for (int i = from; i < to; i++) {
      if (byteId(text[i]) == NONE) {
        ids.truncate(start);
        if (unknown != NONE) {
          ids.add(unknown);
        }
        return;
      }
      ids.add(byteId(text[i]));
    }
  }

  /** The bytes of {@code id} as text is matched against them. */
  byte[] spelling(int id) {
    return Arrays.copyOfRange(spellings, start(id), ends[id]);
  }

  private int start(int id) {
    return id == 0 ? 0 : ends[id - 1];
  }

  /** Tokens, and one more than the highest id. */
  int size() {
    return texts.size();
  }

  /** The token as the file writes it. */
  String text(int id) {
    return texts.get(id);
  }

  TokenKind kind(int id) {
    return kinds[id];
  }

  /** Corrects the kind of a token that the file misdeclares. */
  void setKind(int id, TokenKind kind) {
    kinds[id] = kind;
  }

  float score(int id) {
    return scores[id];
  }

  /** Bytes of the longest spelling. */
  int longest() {
    return longest;
  }

  /** Text tokens that repeat the spelling of a lower id. */
  int duplicates() {
    return duplicates;
  }

  /** The error that names {@code key}. */
  GgufException refuse(String key, String problem) {
    return origin.refuse(key, problem);
  }
}
