package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Byte-level BPE (Radford et al., 2019): the text is split into words by the pre-tokenizer, each
 * byte of a word is a symbol, and symbols join in the order of the file's merges.
 *
 * <p>A merge may name or make a piece that is no token: it joins like any other, as it does in the
 * models' own tokenizers, and if it is left over, its bytes are emitted. A merge without a space is
 * refused; of two equal merges the first counts. A byte without a token is left out, as there; the
 * unknown token that some files name is their end of text.
 */
final class BpeEncoder implements TextEncoder {
  private static final String MERGES = "tokenizer.ggml.merges";

  private final Vocabulary vocabulary;
  private final PreTokenizer preTokenizer;
  private final boolean composes;
  private final WordCache cache = new WordCache();

  /** Left id in the high half, right one in the low -> rank in the high half, joined id low. */
  private final LongMap merges;

  /** The symbol of each byte: its token, or a number above all tokens. */
  private final int[] byteSymbols = new int[256];

  BpeEncoder(Metadata metadata, Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    preTokenizer = PreTokenizer.of(metadata, vocabulary);
    composes = metadata.bool("tokenizer.ggml.normalizer.nfc", false);
    for (int b = 0; b < byteSymbols.length; b++) {
      int id = vocabulary.byteId((byte) b);
      byteSymbols[b] = id != Vocabulary.NONE ? id : vocabulary.size() + b;
    }
    List<String> lines = metadata.strings(MERGES);
    merges = new LongMap(lines.size());
    new MergeReader().read(lines);
  }

  /** Whether text begins with BOS unless the file says otherwise. */
  boolean addBos() {
    return preTokenizer.addBos();
  }

  /** Numbers the pieces that the merges name. */
  private final class MergeReader {
    private final Map<String, Integer> piecesWithoutToken = new HashMap<>();
    private byte[] spelling = new byte[256];

    void read(List<String> lines) {
      for (int rank = 0; rank < lines.size(); rank++) {
        String line = lines.get(rank);
        int space = line.indexOf(' ', 1);
        if (space < 0 || space == line.length() - 1) {
          throw vocabulary.refuse(
              MERGES,
              "has merge %d '%s'; expected two pieces with a space between".formatted(rank, line));
        }
        if (spelling.length < 3 * line.length()) {
          spelling = new byte[3 * line.length()];
        }
        int middle = ByteLevel.decode(line, 0, space, spelling, 0);
        int end = ByteLevel.decode(line, space + 1, line.length(), spelling, middle);
        long left = symbol(0, middle);
        int right = symbol(middle, end);
        merges.putIfAbsent(left << 32 | right, (long) rank << 32 | symbol(0, end));
      }
    }

    private int symbol(int from, int to) {
      if (to - from == 1) {
        return byteSymbols[spelling[from] & 0xFF];
      }
      int id = vocabulary.find(spelling, from, to);
      if (id != Vocabulary.NONE) {
        return id;
      }
      String piece = new String(spelling, from, to - from, StandardCharsets.ISO_8859_1);
      int next = vocabulary.size() + byteSymbols.length + piecesWithoutToken.size();
      return piecesWithoutToken.computeIfAbsent(piece, absent -> next);
    }
  }

  @Override
  public void encode(String text, boolean atStart, IntList ids) {
    String normal = composes ? Normalizer.normalize(text, Normalizer.Form.NFC) : text;
    Merger merger = new Merger();
    preTokenizer.split(normal, (from, to) -> encodeWord(normal, from, to, merger, ids));
  }

  private void encodeWord(String text, int from, int to, Merger merger, IntList ids) {
    int[] cached = cache.get(text, from, to);
    if (cached != null) {
      ids.addAll(cached);
      return;
    }
    int start = ids.size();
    byte[] word = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
    int whole = preTokenizer.wholeWords() ? vocabulary.find(word, 0, word.length) : Vocabulary.NONE;
    if (whole != Vocabulary.NONE) {
      ids.add(whole);
    } else {
      join(word, merger, ids);
    }
    cache.put(text, from, to, ids.from(start));
  }

  private void join(byte[] word, Merger merger, IntList ids) {
    merger.start(word);
    for (int i = 0; i < word.length; i++) {
      merger.symbol(i, byteSymbols[word[i] & 0xFF]);
    }
    merger.merge();
    for (int symbol = merger.first(); symbol >= 0; symbol = merger.after(symbol)) {
      if (merger.id(symbol) < vocabulary.size()) {
        ids.add(merger.id(symbol));
      } else {
        vocabulary.addBytes(word, merger.from(symbol), merger.to(symbol), Vocabulary.NONE, ids);
      }
    }
  }

  /** Two symbols join where the file has a merge for them, in the merges' order. */
  private final class Merger extends PairMerger {
    @Override
    long join(int left, int right) {
      return merges.get((long) id(left) << 32 | id(right)); // LongMap.NONE is NO_JOIN
    }
  }
}
