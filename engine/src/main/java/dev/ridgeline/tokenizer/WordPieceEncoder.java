package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;

/**
 * WordPiece as BERT uses it (Devlin et al., 2018): the text is cleaned of control characters, lower
 * case and without accents, cut at white space, around punctuation and around Chinese characters;
 * each word becomes the longest pieces from its left, or the unknown token if some part of it is no
 * piece. A word's first piece is written with U+2581 in the file, the others without.
 *
 * <p>Accents are the marks that take no space of their own, as in the published tokenizer; the
 * reference engine removes the others too, and all but the first part of a Hangul syllable.
 */
final class WordPieceEncoder implements TextEncoder {
  /** A longer word is unknown, as in the published tokenizer. */
  private static final int LONGEST_WORD = 100;

  private final Vocabulary vocabulary;
  private final int unknown;
  private final boolean lowerCase;
  private final boolean stripAccents;

  WordPieceEncoder(Metadata metadata, Vocabulary vocabulary, int unknown) {
    this.vocabulary = vocabulary;
    this.unknown = unknown;
    lowerCase = metadata.bool("tokenizer.ggml.normalizer.lowercase", true);
    stripAccents = metadata.bool("tokenizer.ggml.normalizer.strip_accents", lowerCase);
  }

  @Override
  public void encode(String text, boolean atStart, IntList ids) {
    String normal = stripAccents ? Normalizer.normalize(text, Normalizer.Form.NFD) : text;
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < normal.length(); ) {
      int c = normal.codePointAt(i);
      i += Character.charCount(c);
      if (isSpace(c)) {
        encodeWord(word, ids);
      } else if (!isIgnored(c)) {
        boolean alone = isPunctuation(c) || isChinese(c);
        if (alone) {
          encodeWord(word, ids);
        }
        word.appendCodePoint(lowerCase ? Character.toLowerCase(c) : c);
        if (alone) {
          encodeWord(word, ids);
        }
      }
    }
    encodeWord(word, ids);
  }

  private static boolean isSpace(int c) {
    return Character.isSpaceChar(c) || (c >= '\t' && c <= '\r') || c == 0x85;
  }

  private boolean isIgnored(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE -> true;
      case Character.NON_SPACING_MARK -> stripAccents;
      default -> c == 0xFFFD;
    };
  }

  private static boolean isPunctuation(int c) {
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      case Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL, Character.MODIFIER_SYMBOL -> c < 0x80;
      default -> false;
    };
  }

  // The blocks as BERT lists them; 0x2B920 is a slip in its widespread Rust version, kept by all.
  private static boolean isChinese(int c) {
    return (c >= 0x4E00 && c <= 0x9FFF)
        || (c >= 0x3400 && c <= 0x4DBF)
        || (c >= 0x20000 && c <= 0x2A6DF)
        || (c >= 0x2A700 && c <= 0x2B73F)
        || (c >= 0x2B740 && c <= 0x2B81F)
        || (c >= 0x2B920 && c <= 0x2CEAF)
        || (c >= 0xF900 && c <= 0xFAFF)
        || (c >= 0x2F800 && c <= 0x2FA1F);
  }

  /** Appends the ids of {@code word}, and empties it. */
  private void encodeWord(StringBuilder word, IntList ids) {
    if (word.isEmpty()) {
      return;
    }
    int start = ids.size();
    boolean known = word.codePointCount(0, word.length()) <= LONGEST_WORD;
    byte[] text =
        word.insert(0, SentencePieceEncoder.SPACE).toString().getBytes(StandardCharsets.UTF_8);
    word.setLength(0);
    int from = 0;
    while (known && from < text.length) {
      int to = Math.min(text.length, from + vocabulary.longest());
      while (to > from && vocabulary.find(text, from, to) == Vocabulary.NONE) {
        to--;
      }
      known = to > from;
      if (known) {
        ids.add(vocabulary.find(text, from, to));
      }
      from = to;
    }
    if (!known) {
      ids.truncate(start);
      if (unknown != Vocabulary.NONE) {
        ids.add(unknown);
      }
    }
  }
}
