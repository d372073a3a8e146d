package dev.ridgeline.tokenizer.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's view of text: indices count code points, and its own classes of characters. */
final class Text {
  private Text() {}

  static int length(String s) {
    return s.codePointCount(0, s.length());
  }

  /** The UTF-16 offset of the code point {@code index}, which must lie within {@code s}. */
  static int offset(String s, int index) {
    return s.offsetByCodePoints(0, index);
  }

  static String substring(String s, int start, int stop) {
    int from = offset(s, start);
    return s.substring(from, s.offsetByCodePoints(from, stop - start));
  }

  static boolean isSpace(int c) {
    return (c >= 9 && c <= 13)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || c == 0xa0
        || (c > 0xff && Character.isSpaceChar(c));
  }

  private static boolean isLineBreak(int c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static boolean isPrintable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  @SuppressWarnings("CharacterGetNumericValue") // no letters among OTHER_NUMBER
  static boolean isDigit(int c) {
    return Character.isDigit(c)
        || (Character.getType(c) == Character.OTHER_NUMBER
            && Character.getNumericValue(c) >= 0
            && Character.getNumericValue(c) <= 9);
  }

  static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isAlphanumeric(int c) {
    return Character.isLetter(c) || isNumeric(c);
  }

  static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  static String strip(String s, boolean left, boolean right, IntPredicate drop) {
    int start = 0;
    int end = s.length();
    while (left && start < end && drop.test(s.codePointAt(start))) {
      start += Character.charCount(s.codePointAt(start));
    }
    while (right && start < end && drop.test(s.codePointBefore(end))) {
      end -= Character.charCount(s.codePointBefore(end));
    }
    return s.substring(start, end);
  }

  static String strip(String s) {
    return strip(s, true, true, Text::isSpace);
  }

  static List<String> lines(String s, boolean keepEnds, Budget budget) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    while (start < s.length()) {
      int end = start;
      while (end < s.length() && !isLineBreak(s.charAt(end))) {
        end++;
      }
      int next = end;
      if (next < s.length()) {
        next += s.startsWith("\r\n", next) ? 2 : 1;
      }
      budget.make(1);
      lines.add(s.substring(start, keepEnds ? next : end));
      start = next;
    }
    return lines;
  }

  static String lower(String s) {
    return s.toLowerCase(Locale.ROOT);
  }

  static String upper(String s) {
    return s.toUpperCase(Locale.ROOT);
  }

  /** The first letter as a title, the others lowercase. */
  static String capitalize(String s) {
    return s.isEmpty()
        ? s
        : titleCase(s.codePointAt(0)) + lower(s.substring(s.offsetByCodePoints(0, 1)));
  }

  static String title(String s) {
    StringBuilder out = new StringBuilder(s.length());
    boolean afterCased = false;
    int[] characters = s.codePoints().toArray();
    for (int i = 0; i < characters.length; i++) {
      out.append(afterCased ? lower(characters, i) : titleCase(characters[i]));
      afterCased = isCased(characters[i]);
    }
    return out.toString();
  }

  /** One character in lowercase; a sigma by whether it ends a word. */
  private static String lower(int[] characters, int i) {
    boolean after = i > 0 && isCased(characters[i - 1]);
    boolean before = i + 1 < characters.length && isCased(characters[i + 1]);
    boolean finalSigma = characters[i] == 'Σ' && after && !before;
    return finalSigma ? "ς" : lower(Character.toString(characters[i]));
  }

  private static String titleCase(int c) {
    String upper = upper(Character.toString(c));
    return length(upper) == 1
        ? Character.toString(Character.toTitleCase(c))
        : upper.charAt(0) + lower(upper.substring(1));
  }

  static String swapCase(String s) {
    StringBuilder out = new StringBuilder(s.length());
    int[] characters = s.codePoints().toArray();
    for (int i = 0; i < characters.length; i++) {
      int c = characters[i];
      if (Character.isUpperCase(c)) {
        out.append(lower(characters, i));
      } else {
        String one = Character.toString(c);
        out.append(Character.isLowerCase(c) ? upper(one) : one);
      }
    }
    return out.toString();
  }

  static String caseFold(String s) {
    return lower(upper(s)).replace('ς', 'σ');
  }

  /** Orders by code point, where {@link String#compareTo} orders by UTF-16 unit. */
  static int compare(String a, String b) {
    int n = Math.min(a.length(), b.length());
    for (int i = 0; i < n; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean surrogateX = Character.isSurrogate(x);
        return surrogateX == Character.isSurrogate(y)
            ? Character.compare(x, y)
            : surrogateX ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }
}
