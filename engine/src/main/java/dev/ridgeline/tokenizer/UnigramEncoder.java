package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * SentencePiece's unigram model (Kudo, "Subword Regularization", 2018): of all ways to write the
 * normalized text in pieces, the one with the highest sum of scores, which are log-probabilities,
 * found by dynamic programming over the bytes. A character that no piece spells costs 10 more than
 * the rarest piece; a run of them becomes one unknown token, or byte tokens where the vocabulary
 * has them.
 */
final class UnigramEncoder implements TextEncoder {
  private static final float UNKNOWN_PENALTY = 10;
  private static final byte[] SPACE =
      Character.toString(SentencePieceEncoder.SPACE).getBytes(StandardCharsets.UTF_8);

  private final Vocabulary vocabulary;
  private final int unknown;
  private final boolean addSpacePrefix;
  private final boolean mergeSpaces;
  private final CharsMap charsMap;
  private final Trie pieces = new Trie();
  private final double unknownScore;

  UnigramEncoder(Metadata metadata, Vocabulary vocabulary, int unknown, boolean addSpacePrefix) {
    this.vocabulary = vocabulary;
    this.unknown = unknown;
    this.addSpacePrefix = addSpacePrefix;
    mergeSpaces = metadata.bool("tokenizer.ggml.remove_extra_whitespaces", false);
    charsMap = CharsMap.of(metadata, vocabulary);
    float lowest = Float.MAX_VALUE;
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.kind(id) == TokenKind.NORMAL) {
        lowest = Math.min(lowest, vocabulary.score(id));
      }
      byte[] piece = vocabulary.spelling(id);
      if (vocabulary.kind(id).isText() && piece.length > 0) {
        int node = Trie.ROOT;
        for (byte b : piece) {
          node = pieces.grow(node, b & 0xFF);
        }
        pieces.end(node, id);
      }
    }
    unknownScore = lowest - UNKNOWN_PENALTY;
  }

  @Override
  public void encode(String text, boolean atStart, IntList ids) {
    byte[] normal = normalize(text.getBytes(StandardCharsets.UTF_8));
    if (normal.length > 0) {
      emit(normal, new Lattice(normal), ids);
    }
  }

  /** Replaced as the file says, with spaces as U+2581, merged and put in front as it says. */
  private byte[] normalize(byte[] text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length + text.length / 4 + 3);
    ByteArrayOutputStream part = new ByteArrayOutputStream();
    boolean prefix = addSpacePrefix;
    boolean inWord = false;
    for (int from = 0; from < text.length; ) {
      part.reset();
      from = charsMap.normalize(text, from, part);
      for (byte b : part.toByteArray()) {
        if (b == ' ') {
          inWord = false;
          if (!mergeSpaces) {
            out.writeBytes(SPACE);
          }
          continue;
        }
        if (!inWord && (mergeSpaces || prefix)) {
          out.writeBytes(SPACE);
          prefix = false;
        }
        inWord = true;
        out.write(b);
      }
    }
    return out.toByteArray();
  }

  private void emit(byte[] text, Lattice lattice, IntList ids) {
    // The path is known from its end; count it to read it from its begin.
    int steps = 0;
    for (int at = text.length; at > 0; at = lattice.from[at]) {
      steps++;
    }
    int[] path = new int[steps];
    for (int at = text.length; at > 0; at = lattice.from[at]) {
      path[--steps] = at;
    }
    int unknownFrom = -1;
    for (int to : path) {
      int from = lattice.from[to];
      if (lattice.id[to] != Trie.NONE) {
        addUnknown(text, unknownFrom, from, ids);
        unknownFrom = -1;
        ids.add(lattice.id[to]);
      } else if (unknownFrom < 0) {
        unknownFrom = from;
      }
    }
    addUnknown(text, unknownFrom, text.length, ids);
  }

  private void addUnknown(byte[] text, int from, int to, IntList ids) {
    if (from >= 0) {
      vocabulary.addBytes(text, from, to, unknown, ids);
    }
  }

  /** The best way to write each prefix of a text. */
  private final class Lattice {
    /** By the prefix's end: its last piece, or {@link Trie#NONE} for a character without one. */
    final int[] id;

    /** By the prefix's end: where its last piece begins. */
    final int[] from;

    private final double[] score;

    Lattice(byte[] text) {
      id = new int[text.length + 1];
      from = new int[text.length + 1];
      score = new double[text.length + 1];
      Arrays.fill(score, 1, score.length, Double.NEGATIVE_INFINITY);
      for (int at = 0; at < text.length; ) {
        int next = at + 1;
        while (next < text.length && (text[next] & 0xC0) == 0x80) {
          next++;
        }
        extend(text, at, next);
        at = next;
      }
    }

    private void extend(byte[] text, int at, int next) {
      boolean character = false;
      int node = pieces.child(Trie.ROOT, text[at] & 0xFF);
      for (int to = at + 1; node != Trie.NONE; to++) {
        int piece = pieces.id(node);
        if (piece != Trie.NONE) {
          character |= to == next;
          boolean free = vocabulary.kind(piece) == TokenKind.USER_DEFINED;
          offer(at, to, piece, free ? 0 : vocabulary.score(piece));
        }
        node = to < text.length ? pieces.child(node, text[to] & 0xFF) : Trie.NONE;
      }
      if (!character) {
        offer(at, next, Trie.NONE, unknownScore);
      }
    }

    private void offer(int at, int to, int piece, double pieceScore) {
      if (score[at] + pieceScore > score[to]) {
        score[to] = score[at] + pieceScore;
        from[to] = at;
        id[to] = piece;
      }
    }
  }
}
