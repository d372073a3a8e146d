package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.util.BitSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tokens that are recognized whole before the text around them is split: user-defined
 * ones always, control and unknown ones where the caller trusts the text. The leftmost match counts
 * and of those the longest, in one pass however many such tokens there are (Gemma has 6,000).
 */
final class SpecialMatcher {
  /** Token {@code id} at {@code [from, to)}, with the white space that it swallows. */
  record Match(int from, int to, int id) {}

  private final Vocabulary vocabulary;
  private final Trie trie = new Trie();
  private final BitSet firstChars = new BitSet();
  private final BitSet swallowBefore = new BitSet();
  private final BitSet swallowAfter = new BitSet();

  SpecialMatcher(Metadata metadata, Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    boolean phi3 = nameHas(metadata, "phi-3") || nameHas(metadata, "phi3");
    String mask = maskThatSwallows(metadata);
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      if (!vocabulary.kind(id).isSpecial() || text.isEmpty()) {
        continue;
      }
      add(text, id);
      swallowBefore.set(id, text.equals(mask));
      swallowAfter.set(id, phi3 && !Set.of("<unk>", "<s>", "<|endoftext|>").contains(text));
    }
  }

  private void add(String text, int id) {
    int node = Trie.ROOT;
    for (int i = 0; i < text.length(); i++) {
      node = trie.grow(node, text.charAt(i));
    }
    trie.end(node, id);
    firstChars.set(text.charAt(0));
  }

  // The format has no key for swallowing; the models that do it are known by name.
  private static @Nullable String maskThatSwallows(Metadata metadata) {
    String pre = metadata.string("tokenizer.ggml.pre", "");
    String architecture = metadata.string("general.architecture", "");
    if (Set.of("jina-v2-de", "jina-v2-es", "jina-v2-code").contains(pre)
        || Set.of("nomic-bert-moe", "jina-bert-v3").contains(architecture)) {
      return "<mask>";
    }
    return nameHas(metadata, "modern-bert") ? "[MASK]" : null;
  }

  private static boolean nameHas(Metadata metadata, String part) {
    return metadata.string("general.name", "").toLowerCase(Locale.ROOT).contains(part);
  }

  /**
   * The first token in {@code text} from {@code from} on, or null.
   *
   * @param all whether control and unknown tokens count, not only user-defined ones
   */
  @Nullable Match find(String text, int from, boolean all) {
    for (int start = from; start < text.length(); start++) {
      if (!firstChars.get(text.charAt(start))) {
        continue;
      }
      int id = Trie.NONE;
      int end = start;
      int node = trie.child(Trie.ROOT, text.charAt(start));
      for (int i = start + 1; node != Trie.NONE; i++) {
        int candidate = trie.id(node);
        if (candidate != Trie.NONE
            && (all || vocabulary.kind(candidate) == TokenKind.USER_DEFINED)) {
          id = candidate;
          end = i;
        }
        node = i < text.length() ? trie.child(node, text.charAt(i)) : Trie.NONE;
      }
      if (id != Trie.NONE) {
        return swallow(text, from, start, end, id);
      }
    }
    return null;
  }

  private Match swallow(String text, int lowest, int start, int end, int id) {
    int from = start;
    while (swallowBefore.get(id) && from > lowest && isSpace(text.charAt(from - 1))) {
      from--;
    }
    int to = end;
    while (swallowAfter.get(id) && to < text.length() && isSpace(text.charAt(to))) {
      to++;
    }
    return new Match(from, to, id);
  }

  private static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }
}
