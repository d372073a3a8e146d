package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * A regular expression as a grammar of the insides of JSON strings: no engine that could be made to
 * backtrack ever sees it. Literals, classes, groups, alternatives, anchors at both ends and
 * quantifiers; what lies beyond regular languages, and look-around, is refused.
 */
final class Pattern {
  private static final int MAX_CHARS = 2000;
  private static final int MAX_DEPTH = 50;

  /** What stands for itself in a JSON string. */
  private static final CharSet PLAIN =
      CharSet.of(
          List.of(
              new int[] {' ', '!'},
              new int[] {'#', '['},
              new int[] {']', '~'},
              new int[] {0x80, 0x10FFFF}));

  private final String text;
  private final String path;
  private int at;
  private int depth;

  Pattern(String text, String path) {
    this.text = text;
    this.path = path;
    if (text.length() > MAX_CHARS) {
      throw error("is longer than " + MAX_CHARS + " characters");
    }
  }

  /** The expression; what is not anchored may have anything before or after it. */
  String toGbnf() {
    boolean start = text.startsWith("^");
    at = start ? 1 : 0;
    String body = alternatives();
    boolean end = at < text.length() && text.charAt(at) == '$';
    at += end ? 1 : 0;
    if (at < text.length()) {
      throw error("cannot be read from character " + (at + 1) + " on");
    }
    return (start ? "" : "char* ") + body + (end ? "" : " char*");
  }

  private String alternatives() {
    if (++depth > MAX_DEPTH) {
      throw error("is nested too deeply");
    }
    var all = new ArrayList<String>();
    all.add(sequence());
    while (peek() == '|') {
      at++;
      all.add(sequence());
    }
    depth--;
    return "(" + String.join(" | ", all) + ")";
  }

  private String sequence() {
    var sequence = new StringBuilder();
    while (at < text.length() && "|)".indexOf(peek()) < 0) {
      if (peek() == '$' && at == text.length() - 1) {
        break;
      }
      sequence.append(item()).append(quantifier()).append(' ');
    }
    return sequence.toString();
  }

  private String item() {
    char c = peek();
    return switch (c) {
      case '(' -> group();
      case '[' -> set(charClass());
      case '.' -> {
        at++;
        yield "char";
      }
      case '^', '$', '*', '+', '?' -> throw error("has '" + c + "' at an unexpected place");
      default -> set(character());
    };
  }

  private String group() {
    at++;
    if (text.startsWith("?:", at)) {
      at += 2;
    } else if (peek() == '?') {
      throw error("uses a group that cannot be enforced");
    }
    String group = alternatives();
    if (peek() != ')') {
      throw error("lacks a closing parenthesis");
    }
    at++;
    return group;
  }

  /** Characters as a JSON string spells them: quote and backslash with one before. */
  private String set(CharSet set) {
    var all = new ArrayList<String>();
    CharSet escaped = CharSet.of(List.of(new int[] {'"', '"'}, new int[] {'\\', '\\'}));
    CharSet both = escaped.minus(escaped.minus(set));
    CharSet plain = PLAIN.minus(PLAIN.minus(set));
    if (!plain.isEmpty()) {
      all.add(plain.gbnf());
    }
    if (!both.isEmpty()) {
      all.add("\"\\\\\" " + both.gbnf());
    }
    if (contains(set, '\n')) {
      all.add("\"\\\\n\"");
    }
    if (contains(set, '\t')) {
      all.add("\"\\\\t\"");
    }
    if (all.isEmpty()) {
      throw error("has a class that no JSON string can match");
    }
    return "(" + String.join(" | ", all) + ")";
  }

  private static boolean contains(CharSet set, char c) {
    CharSet one = CharSet.of(List.of(new int[] {c, c}));
    return one.minus(set).isEmpty();
  }

  private String quantifier() {
    int from = at;
    char c = peek();
    if (c == '*' || c == '+' || c == '?') {
      at++;
    } else if (c == '{') {
      int end = text.indexOf('}', at);
      if (end < 0 || !text.substring(at, end + 1).matches("\\{\\d{1,4}(,\\d{0,4})?\\}")) {
        throw error("has a quantifier that cannot be read");
      }
      at = end + 1;
    }
    String quantifier = text.substring(from, at);
    if (!quantifier.isEmpty() && peek() == '?') {
      at++; // what is lazy matches the same texts
    }
    return quantifier;
  }

  private CharSet charClass() {
    at++;
    boolean negated = peek() == '^';
    at += negated ? 1 : 0;
    var sets = new ArrayList<CharSet>();
    while (peek() != ']') {
      if (at >= text.length()) {
        throw error("lacks a closing bracket");
      }
      int from = at;
      CharSet first = character();
      boolean single = text.charAt(from) != '\\' || "dDwWsS".indexOf(text.charAt(from + 1)) < 0;
      if (single && peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        CharSet last = character();
        int low = first.first();
        int high = last.first();
        if (high < low) {
          throw error("has an empty range");
        }
        sets.add(CharSet.of(List.of(new int[] {low, high})));
      } else {
        sets.add(first);
      }
    }
    at++;
    CharSet none = CharSet.of(List.of());
    CharSet rest = none.negate();
    for (CharSet set : sets) {
      rest = rest.minus(set);
    }
    return negated ? rest : rest.negate();
  }

  private CharSet character() {
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    if (c != '\\') {
      return one(c);
    }
    if (at >= text.length()) {
      throw error("ends in a backslash");
    }
    char escape = text.charAt(at++);
    return switch (escape) {
      case 'd' -> digits();
      case 'D' -> digits().negate();
      case 'w' -> words();
      case 'W' -> words().negate();
      case 's' -> spaces();
      case 'S' -> spaces().negate();
      case 'n' -> one('\n');
      case 't' -> one('\t');
      case 'r' -> one('\r');
      case 'u' -> one(hex(4));
      case 'x' -> one(hex(2));
      default -> {
        if (Character.isLetterOrDigit(escape)) {
          throw error("uses '\\" + escape + "', which cannot be enforced");
        }
        yield one(escape);
      }
    };
  }

  private int hex(int digits) {
    try {
      int value = Integer.parseInt(text.substring(at, at + digits), 16);
      at += digits;
      return value;
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw error("has an escape that cannot be read");
    }
  }

  private static CharSet one(int c) {
    return CharSet.of(List.of(new int[] {c, c}));
  }

  private static CharSet digits() {
    return CharSet.of(List.of(new int[] {'0', '9'}));
  }

  private static CharSet words() {
    return CharSet.of(
        List.of(
            new int[] {'0', '9'},
            new int[] {'A', 'Z'},
            new int[] {'_', '_'},
            new int[] {'a', 'z'}));
  }

  private static CharSet spaces() {
    return CharSet.of(List.of(new int[] {' ', ' '}, new int[] {'\t', '\r'}));
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private GrammarException error(String what) {
    return new GrammarException(
        "the schema at '%s': the pattern '%s' %s".formatted(path, text, what));
  }
}
