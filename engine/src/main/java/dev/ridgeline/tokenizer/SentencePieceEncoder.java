package dev.ridgeline.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/**
 * SentencePiece BPE (Kudo and Richardson, 2018): spaces become U+2581, characters are joined to
 * pieces by highest score, and a character that no piece spells becomes the tokens of its bytes.
 * Unlike the byte-level kind the whole text is one sequence; it is cut into words only before those
 * U+2581 over which no piece of the vocabulary reaches, where no join could cross.
 */
final class SentencePieceEncoder implements TextEncoder {
  static final char SPACE = '\u2581';

  private final Vocabulary vocabulary;
  private final int unknown;
  private final boolean addSpacePrefix;
  private final WordCache cache = new WordCache();

  /** Characters after which some piece holds a space. */
  private final BitSet beforeSpace = new BitSet();

  SentencePieceEncoder(Vocabulary vocabulary, int unknown, boolean addSpacePrefix) {
    this.vocabulary = vocabulary;
    this.unknown = unknown;
    this.addSpacePrefix = addSpacePrefix;
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.kind(id).isText()) {
        String text = vocabulary.text(id);
        for (int i = text.indexOf(SPACE, 1); i > 0; i = text.indexOf(SPACE, i + 1)) {
          beforeSpace.set(text.charAt(i - 1));
        }
      }
    }
  }

  @Override
  public void encode(String text, boolean atStart, IntList ids) {
    String escaped = (addSpacePrefix && atStart ? " " + text : text).replace(' ', SPACE);
    Merger merger = new Merger();
    int from = 0;
    while (from < escaped.length()) {
      int to = escaped.indexOf(SPACE, from + 1);
      while (to > 0 && beforeSpace.get(escaped.charAt(to - 1))) {
        to = escaped.indexOf(SPACE, to + 1);
      }
      to = to < 0 ? escaped.length() : to;
      encodeWord(escaped, from, to, merger, ids);
      from = to;
    }
  }

  private void encodeWord(String text, int from, int to, Merger merger, IntList ids) {
    int[] cached = cache.get(text, from, to);
    if (cached != null) {
      ids.addAll(cached);
      return;
    }
    int start = ids.size();
    byte[] word = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
    merger.start(word);
    for (int i = 0; i < word.length; i++) {
      if ((word[i] & 0xC0) != 0x80) {
        merger.symbol(i, Vocabulary.NONE);
      }
    }
    merger.merge();
    for (int symbol = merger.first(); symbol >= 0; symbol = merger.after(symbol)) {
      int id = vocabulary.find(word, merger.from(symbol), merger.to(symbol));
      if (id != Vocabulary.NONE) {
        ids.add(id);
      } else {
        vocabulary.addBytes(word, merger.from(symbol), merger.to(symbol), unknown, ids);
      }
    }
    cache.put(text, from, to, ids.from(start));
  }

  /** Two symbols join where the vocabulary has their text, the higher its score the earlier. */
  private final class Merger extends PairMerger {
    @Override
    long join(int left, int right) {
      int id = vocabulary.find(text, from(left), to(right));
      return id == Vocabulary.NONE ? NO_JOIN : (long) ~ascending(vocabulary.score(id)) << 32 | id;
    }

    /** An int whose unsigned order is the order of floats. */
    private static int ascending(float score) {
      int bits = Float.floatToIntBits(score + 0.0f); // -0 is 0
      return bits ^ (bits >> 31 | Integer.MIN_VALUE);
    }
  }
}
