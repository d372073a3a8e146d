package dev.ridgeline.tokenizer.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Python's {@code textwrap.wrap} of one line, with tabs and white space left as they are.
 *
 * @param breakLong whether words longer than a line are cut
 * @param breakHyphens whether lines may end after a hyphen inside of a word
 */
record WordWrap(int width, boolean breakLong, boolean breakHyphens, Budget budget) {

  List<String> wrap(String text) {
    List<String> lines = new ArrayList<>();
    List<String> chunks = new ArrayList<>(chunks(text).reversed()); // the next one is last
    while (!chunks.isEmpty()) {
      budget.build(chunks.getLast().length()); // cutting a long word copies the rest of it
      if (!lines.isEmpty() && chunks.getLast().isBlank()) {
        chunks.removeLast();
      }
      List<String> line = new ArrayList<>();
      int used = 0;
      while (!chunks.isEmpty() && used + Text.length(chunks.getLast()) <= width) {
        used += Text.length(chunks.getLast());
        line.add(chunks.removeLast());
      }
      if (!chunks.isEmpty() && Text.length(chunks.getLast()) > width) {
        addLong(chunks, line, width - used);
      }
      if (!line.isEmpty() && line.getLast().isBlank()) {
        line.removeLast();
      }
      if (!line.isEmpty()) {
        lines.add(String.join("", line));
      }
    }
    return lines;
  }

  private void addLong(List<String> chunks, List<String> line, int left) {
    if (!breakLong) {
      if (line.isEmpty()) {
        line.add(chunks.removeLast());
      }
      return;
    }
    String chunk = chunks.removeLast();
    int cut = Math.max(1, left);
    int hyphen = breakHyphens ? chunk.lastIndexOf('-', Text.offset(chunk, cut) - 1) : -1;
    boolean wordBefore = hyphen > 0 && chunk.substring(0, hyphen).chars().anyMatch(c -> c != '-');
    int end = wordBefore ? hyphen + 1 : Text.offset(chunk, cut);
    line.add(chunk.substring(0, end));
    chunks.add(chunk.substring(end));
  }

  /** Words and the white space between them; words are parted after their hyphens. */
  private List<String> chunks(String text) {
    List<String> chunks = new ArrayList<>();
    int start = 0;
    for (int i = 1; i <= text.length(); i++) {
      if (i == text.length()
          || isSpace(text.charAt(i)) != isSpace(text.charAt(i - 1))
          || (breakHyphens && isBreak(text, start, i))) {
        chunks.add(text.substring(start, i));
        start = i;
      }
    }
    return chunks;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || (c >= 9 && c <= 13);
  }

  /** Before {@code i} stands a hyphen between two letters on its left and one on its right. */
  private static boolean isBreak(String text, int start, int i) {
    return text.charAt(i - 1) == '-'
        && i - start >= 3
        && isWord(text.charAt(i - 2))
        && isWord(text.charAt(i - 3))
        && i + 1 < text.length()
        && Character.isLetter(text.charAt(i))
        && isWord(text.charAt(i + 1));
  }

  private static boolean isWord(char c) {
    return Character.isLetter(c);
  }
}
