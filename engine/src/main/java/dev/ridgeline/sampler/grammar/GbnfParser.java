package dev.ridgeline.sampler.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads GBNF, llama.cpp's notation for grammars: {@code name ::= alternatives}, where an
 * alternative is a sequence of {@code "literals"}, {@code [classes]}, {@code .}, names and {@code
 * (groups)}, each possibly followed by {@code *}, {@code +}, {@code ?} or {@code {m,n}}; comments
 * begin with #. The text must match the rule {@code root}.
 */
final class GbnfParser {
  private static final int MAX_CHARS = 1 << 20;
  private static final int MAX_DEPTH = 200;
  private static final int MAX_REPEAT = 10_000;

  private final String text;
  private final Grammar.Builder grammar = new Grammar.Builder();
  private int at;
  private int depth;

  private GbnfParser(String text) {
    this.text = text;
  }

  /**
   * @throws GrammarException with line and column
   */
  static Grammar parse(String text) {
    if (text.length() > MAX_CHARS) {
      throw new GrammarException(
          "the grammar is too long: expected at most %d characters, found %d"
              .formatted(MAX_CHARS, text.length()));
    }
    return new GbnfParser(text).parse();
  }

  private Grammar parse() {
    skip(true);
    while (at < text.length()) {
      int rule = grammar.rule(name());
      skip(false);
      expect("::=");
      skip(true);
      if (grammar.isDefined(rule)) {
        throw error("this rule is defined twice");
      }
      grammar.define(rule, alternatives(false));
      skip(true);
    }
    int root = grammar.rule("root");
    if (!grammar.isDefined(root)) {
      throw new GrammarException("the grammar has no rule 'root'");
    }
    return grammar.build(root);
  }

  private List<int[]> alternatives(boolean nested) {
    if (++depth > MAX_DEPTH) {
      throw error("groups are nested too deeply");
    }
    var all = new ArrayList<int[]>();
    all.add(sequence(nested));
    while (peek() == '|') {
      at++;
      skip(true);
      all.add(sequence(nested));
    }
    depth--;
    return all;
  }

  private int[] sequence(boolean nested) {
    var elements = new Elements();
    while (at < text.length()) {
      int[] item = item();
      if (item == null) {
        break;
      }
      skip(nested);
      elements.add(quantified(item, nested));
      skip(nested);
    }
    return elements.toArray();
  }

  private static final class Elements {
    private int[] elements = new int[8];
    private int count;

    void add(int[] more) {
      if (count + more.length > elements.length) {
        elements = Arrays.copyOf(elements, Math.max(2 * count, count + more.length));
      }
      System.arraycopy(more, 0, elements, count, more.length);
      count += more.length;
    }

    int[] toArray() {
      return Arrays.copyOf(elements, count);
    }
  }

  private int @org.jspecify.annotations.Nullable [] item() {
    char c = peek();
    if (c == '"') {
      return Grammar.Builder.bytes(literal().getBytes(StandardCharsets.UTF_8));
    } else if (c == '[') {
      return grammar.charElement(charClass());
    } else if (c == '.') {
      at++;
      return grammar.charElement(CharSet.ANY);
    } else if (c == '(') {
      at++;
      skip(true);
      int rule = grammar.newRule();
      grammar.define(rule, alternatives(true));
      expect(")");
      return Grammar.Builder.element(rule);
    } else if (isNameChar(c)) {
      return Grammar.Builder.element(grammar.rule(name()));
    }
    return null;
  }

  private int[] quantified(int[] item, boolean nested) {
    int[] result = item;
    while (true) {
      switch (peek()) {
        case '*' -> result = repeat(result, 0, -1);
        case '+' -> result = repeat(result, 1, -1);
        case '?' -> result = repeat(result, 0, 1);
        case '{' -> {
          at++;
          int low = number(0);
          int high = low;
          if (peek() == ',') {
            at++;
            high = number(-1);
          }
          if (peek() != '}' || high >= 0 && high < low || Math.max(low, high) > MAX_REPEAT) {
            throw error("expected {m}, {m,} or {m,n} with m <= n <= " + MAX_REPEAT);
          }
          result = repeat(result, low, high);
        }
        default -> {
          return result;
        }
      }
      at++;
      skip(nested);
    }
  }

  /** {@code item} from {@code low} to {@code high} times; -1: any number. */
  private int[] repeat(int[] item, int low, int high) {
    int[] one = item;
    if (item.length > 1) {
      int rule = grammar.newRule();
      grammar.define(rule, List.of(item));
      one = Grammar.Builder.element(rule);
    }
    var elements = new Elements();
    for (int i = 0; i < low; i++) {
      elements.add(one);
    }
    if (high < 0) {
      int more = grammar.newRule();
      var again = new Elements();
      again.add(one);
      again.add(Grammar.Builder.element(more));
      grammar.define(more, List.of(again.toArray(), new int[0]));
      elements.add(Grammar.Builder.element(more));
    } else if (high > low) {
      // x{0,3} is (x (x x?)?)?: one way to match n of them, not many
      int[] tail = new int[0];
      for (int i = low; i < high; i++) {
        int optional = grammar.newRule();
        var some = new Elements();
        some.add(one);
        some.add(tail);
        grammar.define(optional, List.of(some.toArray(), new int[0]));
        tail = Grammar.Builder.element(optional);
      }
      elements.add(tail);
    }
    return elements.toArray();
  }

  private String literal() {
    at++;
    var literal = new StringBuilder();
    while (peek() != '"') {
      literal.appendCodePoint(character());
    }
    at++;
    return literal.toString();
  }

  private CharSet charClass() {
    at++;
    boolean negated = peek() == '^';
    if (negated) {
      at++;
    }
    var ranges = new ArrayList<int[]>();
    while (peek() != ']') {
      int first = character();
      int last = first;
      if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        last = character();
      }
      if (last < first) {
        throw error("this range is empty");
      }
      ranges.add(new int[] {first, last});
    }
    at++;
    CharSet set = CharSet.of(ranges);
    return negated ? set.negate() : set;
  }

  private int character() {
    if (at >= text.length()) {
      throw error("the text ends in a literal or a class");
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    if (c != '\\') {
      return c;
    }
    char escape = peek();
    at++;
    return switch (escape) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      case '\\', '"', '[', ']', '-', '^', '/' -> escape;
      default -> {
        at--;
        throw error("this escape is not known");
      }
    };
  }

  private int hex(int digits) {
    try {
      int value = Integer.parseUnsignedInt(text.substring(at, at + digits), 16);
      at += digits;
      if (Character.isValidCodePoint(value)) {
        return value;
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      // told below
    }
    throw error("expected " + digits + " hexadecimal digits of a character");
  }

  private int number(int otherwise) {
    int from = at;
    int value = 0;
    while (Character.isDigit(peek()) && value <= MAX_REPEAT) {
      value = 10 * value + peek() - '0';
      at++;
    }
    return at == from ? otherwise : value;
  }

  private String name() {
    int from = at;
    while (at < text.length() && isNameChar(text.charAt(at))) {
      at++;
    }
    if (at == from) {
      throw error("expected the name of a rule");
    }
    return text.substring(from, at);
  }

  private static boolean isNameChar(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '-'
        || c == '_';
  }

  /** The character at hand; 0 at the end. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private void expect(String token) {
    if (!text.startsWith(token, at)) {
      throw error("expected '" + token + "'");
    }
    at += token.length();
  }

  /** Skips spaces and comments, and line ends too if {@code lines}. */
  private void skip(boolean lines) {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '#') {
        while (at < text.length() && text.charAt(at) != '\n') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private GrammarException error(String what) {
    String before = text.substring(0, Math.min(at, text.length()));
    int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
    int column = before.length() - before.lastIndexOf('\n');
    return new GrammarException(
        "the grammar, line %d, column %d: %s".formatted(line, column, what));
  }
}
