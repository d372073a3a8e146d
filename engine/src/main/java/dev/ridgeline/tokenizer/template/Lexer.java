package dev.ridgeline.tokenizer.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a template into tokens. Blanks before a block and the newline after it are dropped, as
 * Hugging Face sets Jinja up ({@code lstrip_blocks}, {@code trim_blocks}); {@code -} next to a
 * delimiter drops all white space on that side, {@code +} keeps it.
 */
final class Lexer {
  private static final String[] OPERATORS = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";"
  };
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?:[0-9]+_)*+[0-9]++(?:(?:\\.(?:[0-9]+_)*+[0-9]++)?+[eE][+-]?(?:[0-9]+_)*+[0-9]++"
              + "|\\.(?:[0-9]+_)*+[0-9]++)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[0-9a-fA-F])++"
              + "|[1-9](?:_?[0-9])*+|0(?:_?0)*+");
  private static final int MAX_NUMBER_CHARS = 400;

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** The tokens, up to the first error if there is one. */
  record Result(List<Token> tokens, @Nullable Fault fault) {}

  static Result tokenize(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    Fault fault = null;
    try {
      lexer.tokenize();
    } catch (Fault found) {
      fault = found;
    }
    int lastLine = lexer.tokens.isEmpty() ? 1 : lexer.tokens.getLast().line();
    lexer.tokens.add(new Token(Token.Type.EOF, "", lastLine));
    return new Result(lexer.tokens, fault);
  }

  static boolean isIdentifier(String s) {
    return !s.isEmpty()
        && (s.charAt(0) == '_' || Character.isUnicodeIdentifierStart(s.codePointAt(0)))
        && s.codePoints().allMatch(c -> c == '_' || Character.isUnicodeIdentifierPart(c));
  }

  private void tokenize() {
    while (position < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.length(), source.length());
      } else {
        switch (source.charAt(tag + 1)) {
          case '#' -> comment(tag);
          case '{' -> expression(tag, Token.Type.VARIABLE_BEGIN, Token.Type.VARIABLE_END, "}}");
          default -> block(tag);
        }
      }
    }
  }

  private int nextTag() {
    for (int i = source.indexOf('{', position); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "%{#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void add(Token.Type type, String text) {
    tokens.add(new Token(type, text, line));
  }

  /** Moves on, counting lines. */
  private void advance(int to) {
    for (int i = position; i < to; i++) {
      line += source.charAt(i) == '\n' ? 1 : 0;
    }
    lineStarting = to > position ? source.charAt(to - 1) == '\n' : lineStarting;
    position = to;
  }

  private char sign(int at) {
    char c = at < source.length() ? source.charAt(at) : 0;
    return c == '-' || c == '+' ? c : 0;
  }

  private int skipSpace(int from) {
    int i = from;
    while (i < source.length() && Text.isSpace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  /** Emits the text up to {@code end} and moves to {@code next}. */
  private void data(int end, int next) {
    if (end > position) {
      add(Token.Type.DATA, source.substring(position, end));
    }
    advance(next);
  }

  /** Emits the text before a tag without the white space that the tag eats. */
  private void dataBefore(int tag, char sign, boolean strippable) {
    int end = tag;
    if (sign == '-') {
      while (end > position && Text.isSpace(source.charAt(end - 1))) {
        end--;
      }
    } else if (sign == 0 && strippable) {
      int start = tag;
      while (start > position
          && source.charAt(start - 1) != '\n'
          && Text.isSpace(source.charAt(start - 1))) {
        start--;
      }
      if (start > position ? source.charAt(start - 1) == '\n' : lineStarting) {
        end = start;
      }
    }
    data(end, tag);
  }

  private void comment(int tag) {
    char sign = sign(tag + 2);
    dataBefore(tag, sign, true);
    int close = source.indexOf("#}", tag + (sign == 0 ? 2 : 3));
    if (close < 0) {
      throw Fault.syntax(line, "Missing end of comment tag");
    }
    boolean signed = close > tag + (sign == 0 ? 2 : 3);
    advance(afterClose(close + 2, signed ? sign(close - 1) : 0));
  }

  /** Where the text goes on after a closing delimiter that ends at {@code end}. */
  private int afterClose(int end, char sign) {
    return switch (sign) {
      case '-' -> skipSpace(end);
      case '+' -> end;
      default -> source.startsWith("\n", end) ? end + 1 : end;
    };
  }

  private void block(int tag) {
    int name = skipSpace(tag + (sign(tag + 2) == 0 ? 2 : 3));
    int close = source.startsWith("raw", name) ? skipSpace(name + 3) : -1;
    if (close >= 0 && source.startsWith("%}", close)) {
      raw(tag, close + 2);
    } else if (close >= 0 && source.startsWith("-%}", close)) {
      raw(tag, skipSpace(close + 3));
    } else {
      expression(tag, Token.Type.BLOCK_BEGIN, Token.Type.BLOCK_END, "%}");
    }
  }

  private void raw(int tag, int start) {
    dataBefore(tag, sign(tag + 2), true);
    advance(start);
    for (int end = source.indexOf("{%", start); end >= 0; end = source.indexOf("{%", end + 1)) {
      int name = skipSpace(end + (sign(end + 2) == 0 ? 2 : 3));
      if (source.startsWith("endraw", name)) {
        int close = skipSpace(name + 6);
        char sign = sign(close);
        int percent = sign == 0 ? close : close + 1;
        if (source.startsWith("%}", percent)) {
          dataBefore(end, sign(end + 2), true);
          advance(afterClose(percent + 2, sign));
          return;
        }
      }
    }
    throw Fault.syntax(line, "Missing end of raw directive");
  }

  private void expression(int tag, Token.Type begin, Token.Type end, String close) {
    boolean isBlock = begin == Token.Type.BLOCK_BEGIN;
    char sign = sign(tag + 2);
    dataBefore(tag, sign, isBlock);
    add(begin, close);
    advance(tag + (sign == 0 ? 2 : 3));
    Deque<Character> open = new ArrayDeque<>();
    while (position < source.length()) {
      if (open.isEmpty()) {
        char closing = sign(position);
        boolean signed = closing == '-' || (closing == '+' && isBlock);
        if (source.startsWith(close, signed ? position + 1 : position)) {
          add(end, close);
          int after = position + (signed ? 3 : 2);
          advance(closing == '-' ? skipSpace(after) : isBlock ? afterClose(after, closing) : after);
          return;
        }
      }
      token(open);
    }
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(position);
    if (Text.isSpace(c)) {
      advance(skipSpace(position));
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else if (c == '_' || Character.isLetterOrDigit(source.codePointAt(position))) {
      name();
    } else {
      operator(open);
    }
  }

  private void number() {
    String text =
        source.substring(position, Math.min(source.length(), position + MAX_NUMBER_CHARS));
    boolean afterDot = position > 0 && source.charAt(position - 1) == '.';
    Matcher matcher = FLOAT.matcher(text);
    Token.Type type = Token.Type.FLOAT;
    if (afterDot || !matcher.lookingAt()) {
      matcher = INTEGER.matcher(text);
      type = Token.Type.INTEGER;
      if (!matcher.lookingAt()) {
        throw unexpected();
      }
    }
    add(type, matcher.group().replace("_", ""));
    advance(position + matcher.end());
  }

  private void name() {
    int end = position;
    while (end < source.length()
        && (source.charAt(end) == '_'
            || (Character.isUnicodeIdentifierPart(source.codePointAt(end))
                && !Character.isIdentifierIgnorable(source.codePointAt(end))))) {
      end += Character.charCount(source.codePointAt(end));
    }
    String name = source.substring(position, end);
    if (!isIdentifier(name)) {
      throw Fault.syntax(line, "Invalid character in identifier");
    }
    add(Token.Type.NAME, name);
    advance(end);
  }

  private void string(char quote) {
    int end = position + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw unexpected();
    }
    add(Token.Type.STRING, unescape(source.substring(position + 1, end)));
    advance(end + 1);
  }

  private String unescape(String s) {
    int backslash = s.indexOf('\\');
    if (backslash < 0) {
      return s;
    }
    StringBuilder out = new StringBuilder(s.length());
    int i = 0;
    while (i < s.length()) {
      char c = s.charAt(i++);
      if (c == '\\') {
        i = escape(s, i, out);
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  /** Appends what the escape whose letter is at {@code i} means; returns where it ends. */
  private int escape(String s, int i, StringBuilder out) {
    char c = s.charAt(i);
    switch (c) {
      case '\n' -> {}
      case '\\', '\'', '"' -> out.append(c);
      case 'a' -> out.append('\u0007');
      case 'b' -> out.append('\b');
      case 'f' -> out.append('\f');
      case 'n' -> out.append('\n');
      case 'r' -> out.append('\r');
      case 't' -> out.append('\t');
      case 'v' -> out.append('\u000b');
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        int end = i;
        while (end < s.length() && end < i + 3 && s.charAt(end) >= '0' && s.charAt(end) <= '7') {
          end++;
        }
        out.append((char) Integer.parseInt(s, i, end, 8));
        return end;
      }
      case 'x' -> {
        return hexadecimal(s, i, 2, "\\xXX", out);
      }
      case 'u' -> {
        return hexadecimal(s, i, 4, "\\uXXXX", out);
      }
      case 'U' -> {
        return hexadecimal(s, i, 8, "\\UXXXXXXXX", out);
      }
      case 'N' -> {
        return named(s, i, out);
      }
      default -> out.append('\\').append(c);
    }
    return i + 1;
  }

  private int hexadecimal(String s, int letter, int digits, String form, StringBuilder out) {
    int end = letter + 1 + digits;
    boolean valid = end <= s.length();
    for (int i = letter + 1; valid && i < end; i++) {
      valid = Character.digit(s.charAt(i), 16) >= 0 && s.charAt(i) < 128;
    }
    if (!valid) {
      throw Fault.syntax(line, "truncated %s escape", form);
    }
    long code = Long.parseLong(s, letter + 1, end, 16);
    if (code > Character.MAX_CODE_POINT) {
      throw Fault.syntax(line, "illegal Unicode character");
    }
    out.appendCodePoint((int) code);
    return end;
  }

  private int named(String s, int letter, StringBuilder out) {
    int close = s.indexOf('}', letter);
    if (!s.startsWith("{", letter + 1) || close < 0) {
      throw Fault.syntax(line, "malformed \\N character escape");
    }
    try {
      out.appendCodePoint(Character.codePointOf(s.substring(letter + 2, close)));
    } catch (IllegalArgumentException unknownName) {
      throw Fault.syntax(line, "unknown Unicode character name");
    }
    return close + 1;
  }

  private void operator(Deque<Character> open) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, position)) {
        balance(operator.charAt(0), open);
        add(Token.Type.OPERATOR, operator);
        advance(position + operator.length());
        return;
      }
    }
    throw unexpected();
  }

  private void balance(char c, Deque<Character> open) {
    switch (c) {
      case '{' -> open.push('}');
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '}', ')', ']' -> {
        if (open.isEmpty()) {
          throw Fault.syntax(line, "unexpected '%c'", c);
        }
        char expected = open.pop();
        if (expected != c) {
          throw Fault.syntax(line, "unexpected '%c', expected '%c'", c, expected);
        }
      }
      default -> {}
    }
  }

  private Fault unexpected() {
    return Fault.syntax(
        line,
        "unexpected char %s at %d",
        Repr.quote(Character.toString(source.codePointAt(position))),
        source.codePointCount(0, position));
  }
}
