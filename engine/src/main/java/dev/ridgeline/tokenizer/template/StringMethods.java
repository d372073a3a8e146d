package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Args.Bound;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's {@code str}, and of the {@link Markup} that wraps one. */
final class StringMethods {
  private interface Body {
    Object call(Interpreter in, String self, Bound args);
  }

  /** A method: what it does, and how its arguments are bound. */
  private record Method(Body body, Function<Args, Bound> binding) {}

  private static final int NO_LIMIT = Integer.MAX_VALUE;
  private static final Map<String, Method> METHODS = new HashMap<>();

  static {
    define("upper", 0, 0, (in, s, args) -> Text.upper(s));
    define("lower", 0, 0, (in, s, args) -> Text.lower(s));
    define("title", 0, 0, (in, s, args) -> Text.title(s));
    define("capitalize", 0, 0, (in, s, args) -> Text.capitalize(s));
    define("swapcase", 0, 0, (in, s, args) -> Text.swapCase(s));
    define("casefold", 0, 0, (in, s, args) -> Text.caseFold(s));
    define("strip", 0, 1, (in, s, args) -> strip(s, args, true, true));
    define("lstrip", 0, 1, (in, s, args) -> strip(s, args, true, false));
    define("rstrip", 0, 1, (in, s, args) -> strip(s, args, false, true));
    define("partition", 1, 1, (in, s, args) -> partition(in, s, args, false));
    define("rpartition", 1, 1, (in, s, args) -> partition(in, s, args, true));
    define("join", 1, 1, StringMethods::join);
    define("replace", 2, 3, StringMethods::replace);
    define("startswith", 1, 3, (in, s, args) -> affix(s, args, true));
    define("endswith", 1, 3, (in, s, args) -> affix(s, args, false));
    define("removeprefix", 1, 1, (in, s, args) -> removePrefix(s, args.text(0)));
    define("removesuffix", 1, 1, (in, s, args) -> removeSuffix(s, args.text(0)));
    define("find", 1, 3, (in, s, args) -> find(in, s, args, false));
    define("rfind", 1, 3, (in, s, args) -> find(in, s, args, true));
    define("index", 1, 3, (in, s, args) -> index(in, s, args, false));
    define("rindex", 1, 3, (in, s, args) -> index(in, s, args, true));
    define("count", 1, 3, StringMethods::count);
    define("center", 1, 2, StringMethods::justify);
    define("ljust", 1, 2, StringMethods::justify);
    define("rjust", 1, 2, StringMethods::justify);
    define("zfill", 1, 1, StringMethods::zeroFill);
    define("isalpha", Character::isLetter);
    define("isdecimal", Character::isDigit);
    define("isdigit", Text::isDigit);
    define("isnumeric", Text::isNumeric);
    define("isalnum", Text::isAlphanumeric);
    define("isspace", Text::isSpace);
    define("isascii", 0, 0, (in, s, args) -> s.chars().allMatch(c -> c < 128));
    define("isprintable", 0, 0, (in, s, args) -> s.codePoints().allMatch(Text::isPrintable));
    define("isidentifier", 0, 0, (in, s, args) -> Lexer.isIdentifier(s));
    define("isupper", 0, 0, (in, s, args) -> isUpper(s));
    define("islower", 0, 0, (in, s, args) -> isLower(s));
    define("istitle", 0, 0, (in, s, args) -> isTitle(s));
    defineNamed("split", StringMethods::split, "sep", "maxsplit");
    defineNamed("rsplit", StringMethods::rsplit, "sep", "maxsplit");
    defineNamed("splitlines", StringMethods::splitLines, "keepends");
    defineNamed("expandtabs", StringMethods::expandTabs, "tabsize");
  }

  private static void define(String name, int required, int allowed, Body body) {
    METHODS.put(
        name, new Method(body, args -> args.positionalOnly("str." + name, required, allowed)));
  }

  private static void define(String name, IntPredicate ofEveryCharacter) {
    define(name, 0, 0, (in, s, args) -> !s.isEmpty() && s.codePoints().allMatch(ofEveryCharacter));
  }

  private static void defineNamed(String name, Body body, String... parameters) {
    METHODS.put(name, new Method(body, args -> args.bind(name, 0, parameters)));
  }

  private StringMethods() {}

  /** The bound method, or null if {@code str} has none of that name. */
  static @Nullable Object get(String self, boolean markup, String name) {
    return switch (name) {
      case "format", "format_map" ->
          Attributes.method("str", name, (in, args) -> format(in, self, name, args, markup));
      case "encode", "translate", "maketrans" -> Attributes.unsupported("str", name);
      default -> {
        Method method = METHODS.get(name);
        yield method == null
            ? null
            : Attributes.method(
                "str", name, (in, args) -> call(in, method, self, markup, name, args));
      }
    };
  }

  private static Object call(
      Interpreter in, Method method, String self, boolean markup, String name, Args args) {
    in.budget.scan(self.length());
    if (!markup) {
      Object result = method.body().call(in, self, method.binding().apply(args));
      if (result instanceof String text) {
        in.budget.build(text.length());
      }
      return result;
    }
    Args escaped = new Args(escaped(in, name, args.positional()), args.named());
    return wrapped(method.body().call(in, self, method.binding().apply(escaped)));
  }

  /** Markup escapes what these methods put into it. */
  private static List<Object> escaped(Interpreter in, String name, List<Object> positional) {
    List<Object> escaped = new ArrayList<>(positional);
    switch (name) {
      case "join" -> escaped.replaceAll(items -> escapeAll(in, in.ops.list(items)));
      case "replace", "ljust", "rjust", "center" -> {
        if (escaped.size() > 1) {
          escaped.set(1, escape(in, escaped.get(1)));
        }
      }
      default -> {}
    }
    return escaped;
  }

  private static List<Object> escapeAll(Interpreter in, List<Object> items) {
    items.replaceAll(item -> escape(in, item));
    return items;
  }

  private static Object escape(Interpreter in, Object value) {
    return value instanceof Markup m ? m.text() : Markup.escape(in.ops.str(value));
  }

  private static Object wrapped(Object result) {
    return switch (result) {
      case String s -> new Markup(s);
      case List<?> parts ->
          new ArrayList<Object>(parts.stream().map(StringMethods::wrapped).toList());
      case Tuple t -> new Tuple(t.items().stream().map(StringMethods::wrapped).toList());
      default -> result;
    };
  }

  private static String strip(String s, Bound args, boolean left, boolean right) {
    if (!args.has(0)) {
      return Text.strip(s, left, right, Text::isSpace);
    }
    String chars = Values.text(args.get(0));
    if (chars == null) {
      throw Fault.type("%s arg must be None or str", args.function());
    }
    return Text.strip(s, left, right, c -> chars.indexOf(c) >= 0);
  }

  private static int limit(Bound bound, int i) {
    long limit = bound.integer(i, -1);
    return limit < 0 || limit > NO_LIMIT ? NO_LIMIT : (int) limit;
  }

  private static String separator(Bound bound) {
    Object value = bound.get(0);
    String separator = Values.text(value);
    if (separator == null) {
      throw Fault.type("must be str or None, not %s", Values.typeName(value));
    }
    if (separator.isEmpty()) {
      throw Fault.value("empty separator");
    }
    return separator;
  }

  private static List<Object> split(Interpreter in, String s, Bound bound) {
    int limit = limit(bound, 1);
    if (!bound.has(0)) {
      return splitWords(in, s, limit);
    }
    String separator = separator(bound);
    in.ops.paySearch(s, separator);
    List<Object> parts = new ArrayList<>();
    int start = 0;
    for (int at; parts.size() < limit && (at = s.indexOf(separator, start)) >= 0; ) {
      in.budget.make(1);
      parts.add(s.substring(start, at));
      start = at + separator.length();
    }
    parts.add(s.substring(start));
    return parts;
  }

  private static List<Object> splitWords(Interpreter in, String s, int limit) {
    List<Object> words = new ArrayList<>();
    int start = skip(s, 0, true);
    while (start < s.length()) {
      in.budget.make(1);
      if (words.size() == limit) {
        words.add(s.substring(start));
        break;
      }
      int end = skip(s, start, false);
      words.add(s.substring(start, end));
      start = skip(s, end, true);
    }
    return words;
  }

  /** The first offset from {@code i} on that is not ({@code spaces}) or is a space. */
  private static int skip(String s, int i, boolean spaces) {
    int at = i;
    while (at < s.length() && Text.isSpace(s.charAt(at)) == spaces) {
      at++;
    }
    return at;
  }

  private static int skipBack(String s, int i, boolean spaces) {
    int at = i;
    while (at > 0 && Text.isSpace(s.charAt(at - 1)) == spaces) {
      at--;
    }
    return at;
  }

  private static List<Object> rsplit(Interpreter in, String s, Bound bound) {
    int limit = limit(bound, 1);
    List<Object> parts =
        bound.has(0) ? rsplitAt(in, s, separator(bound), limit) : rsplitWords(in, s, limit);
    Collections.reverse(parts);
    return parts;
  }

  private static List<Object> rsplitAt(Interpreter in, String s, String separator, int limit) {
    in.ops.paySearch(s, separator);
    List<Object> parts = new ArrayList<>();
    int end = s.length();
    for (int at;
        parts.size() < limit && (at = s.lastIndexOf(separator, end - separator.length())) >= 0; ) {
      in.budget.make(1);
      parts.add(s.substring(at + separator.length(), end));
      end = at;
    }
    parts.add(s.substring(0, end));
    return parts;
  }

  private static List<Object> rsplitWords(Interpreter in, String s, int limit) {
    List<Object> words = new ArrayList<>();
    int end = skipBack(s, s.length(), true);
    while (end > 0) {
      in.budget.make(1);
      if (words.size() == limit) {
        words.add(s.substring(0, end));
        break;
      }
      int start = skipBack(s, end, false);
      words.add(s.substring(start, end));
      end = skipBack(s, start, true);
    }
    return words;
  }

  private static Object splitLines(Interpreter in, String s, Bound args) {
    return new ArrayList<Object>(Text.lines(s, args.truth(0, false), in.budget));
  }

  private static int indexOf(Interpreter in, String s, String part, boolean last) {
    in.ops.paySearch(s, part);
    return last ? s.lastIndexOf(part) : s.indexOf(part);
  }

  private static Object partition(Interpreter in, String s, Bound args, boolean last) {
    String separator = separator(args);
    int at = indexOf(in, s, separator, last);
    if (at < 0) {
      return last ? new Tuple("", "", s) : new Tuple(s, "", "");
    }
    return new Tuple(s.substring(0, at), separator, s.substring(at + separator.length()));
  }

  private static Object join(Interpreter in, String separator, Bound args) {
    Object items = args.get(0);
    if (!Ops.isIterable(items)) {
      throw Fault.type("can only join an iterable");
    }
    List<String> parts = new ArrayList<>();
    for (Iterator<Object> it = in.ops.iterate(items); it.hasNext(); ) {
      Object item = it.next();
      String text = Values.text(item);
      if (text == null) {
        throw Fault.type(
            "sequence item %d: expected str instance, %s found",
            parts.size(), Values.typeName(item));
      }
      parts.add(text);
    }
    return join(in.budget, separator, parts);
  }

  static String join(Budget budget, String separator, List<String> parts) {
    long chars = (long) separator.length() * Math.max(0, parts.size() - 1);
    for (String part : parts) {
      chars += part.length();
    }
    budget.build(chars);
    return String.join(separator, parts);
  }

  private static Object replace(Interpreter in, String s, Bound args) {
    return replace(in, s, args.text(0), args.text(1), limit(args, 2));
  }

  static String replace(Interpreter in, String s, String from, String to, int limit) {
    in.ops.paySearch(s, from);
    StringBuilder out = new StringBuilder();
    int start = 0;
    int at = s.indexOf(from);
    for (int done = 0; at >= 0 && done < limit; done++) {
      in.budget.build(to.length());
      out.append(s, start, at).append(to);
      in.budget.check(out);
      start = at + from.length();
      if (from.isEmpty()) { // between all characters, and at the end
        if (start == s.length()) {
          return out.toString();
        }
        int next = s.offsetByCodePoints(start, 1);
        out.append(s, start, next);
        start = next;
        at = next;
      } else {
        at = s.indexOf(from, start);
      }
    }
    out.append(s, start, s.length());
    in.budget.build(out.length());
    return out.toString();
  }

  /** The part of {@code s} that the optional start and end arguments name. */
  private record Window(int start, int end, boolean valid) {
    static Window of(String s, Bound bound) {
      int length = Text.length(s);
      long start = bound.has(1) ? bound.integer(1) : 0;
      long end = bound.has(2) ? bound.integer(2) : length;
      long from = Math.max(0, start < 0 ? start + length : start);
      long to = Math.clamp(end < 0 ? end + length : end, 0L, length);
      return from > to
          ? new Window(0, 0, false)
          : new Window(Text.offset(s, (int) from), Text.offset(s, (int) to), true);
    }

    String of(String s) {
      return s.substring(start, end);
    }
  }

  private static Object affix(String s, Bound args, boolean start) {
    Window window = Window.of(s, args);
    if (args.get(0) instanceof Tuple candidates) {
      String wanted = "tuple for %s must only contain str".formatted(args.function());
      return candidates.items().stream()
          .anyMatch(candidate -> matches(s, window, affix(candidate, wanted), start));
    }
    String wanted = "%s first arg must be str or a tuple of str".formatted(args.function());
    return matches(s, window, affix(args.get(0), wanted), start);
  }

  private static String affix(Object value, String wanted) {
    String text = Values.text(value);
    if (text == null) {
      throw Fault.type("%s, not %s", wanted, Values.typeName(value));
    }
    return text;
  }

  private static boolean matches(String s, Window window, String affix, boolean start) {
    return window.valid()
        && affix.length() <= window.end() - window.start()
        && s.startsWith(affix, start ? window.start() : window.end() - affix.length());
  }

  private static String removePrefix(String s, String prefix) {
    return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
  }

  private static String removeSuffix(String s, String suffix) {
    return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
  }

  private static long find(Interpreter in, String s, Bound args, boolean last) {
    String part = part(args);
    Window window = Window.of(s, args);
    int at = window.valid() ? indexOf(in, window.of(s), part, last) : -1;
    return at < 0 ? -1L : s.codePointCount(0, window.start() + at);
  }

  private static long index(Interpreter in, String s, Bound args, boolean last) {
    long at = find(in, s, args, last);
    if (at < 0) {
      throw Fault.value("substring not found");
    }
    return at;
  }

  private static String part(Bound args) {
    String part = Values.text(args.get(0));
    if (part == null) {
      throw Fault.type("must be str, not %s", Values.typeName(args.get(0)));
    }
    return part;
  }

  private static Object count(Interpreter in, String s, Bound args) {
    String part = part(args);
    Window window = Window.of(s, args);
    if (!window.valid()) {
      return 0L;
    }
    String text = window.of(s);
    if (part.isEmpty()) {
      return Text.length(text) + 1L;
    }
    in.ops.paySearch(text, part);
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static Object justify(Interpreter in, String s, Bound args) {
    Object filler = args.get(1, " ");
    String fill = Values.text(filler);
    if (fill == null || Text.length(fill) != 1) {
      throw fill == null
          ? Fault.type(
              "The fill character must be a unicode character, not %s", Values.typeName(filler))
          : Fault.type("The fill character must be exactly one character long");
    }
    return justify(in.budget, s, args.integer(0), fill, args.function());
  }

  /** Python's centering puts the odd character left if the width is odd. */
  static String justify(Budget budget, String s, long width, String fill, String name) {
    long missing = Math.max(0, width - Text.length(s));
    budget.build(s.length() + missing);
    int total = (int) missing;
    int left =
        switch (name) {
          case "ljust" -> 0;
          case "rjust" -> total;
          default -> total / 2 + (total & (int) width & 1);
        };
    return fill.repeat(left) + s + fill.repeat(total - left);
  }

  private static Object zeroFill(Interpreter in, String s, Bound args) {
    long width = args.integer(0);
    int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
    String digits = s.substring(sign);
    return s.substring(0, sign) + justify(in.budget, digits, width - sign, "0", "rjust");
  }

  private static Object expandTabs(Interpreter in, String s, Bound args) {
    long size = args.integer(0, 8);
    StringBuilder out = new StringBuilder();
    long column = 0;
    for (int c : s.codePoints().toArray()) {
      if (c == '\t') {
        long spaces = size <= 0 ? 0 : size - column % size;
        in.budget.build(spaces);
        in.budget.check(out);
        out.repeat(' ', (int) spaces);
        column += spaces;
      } else {
        out.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }

  static boolean isUpper(String s) {
    return s.codePoints().anyMatch(Character::isUpperCase)
        && s.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  static boolean isLower(String s) {
    return s.codePoints().anyMatch(Character::isLowerCase)
        && s.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }

  private static boolean isTitle(String s) {
    boolean afterCased = false;
    boolean any = false;
    for (int c : s.codePoints().toArray()) {
      boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
      if (upper ? afterCased : Character.isLowerCase(c) && !afterCased) {
        return false;
      }
      afterCased = Text.isCased(c);
      any |= afterCased;
    }
    return any;
  }

  private static String format(Interpreter in, String s, String name, Args args, boolean escape) {
    if (name.equals("format")) {
      return new BraceFormat(in.ops, args, escape).format(s);
    }
    Object mapping = args.positionalOnly("str.format_map", 1, 1).get(0);
    Map<String, Object> named = new LinkedHashMap<>();
    if (mapping instanceof Dict dict) {
      dict.entries().forEach(entry -> named.put(in.ops.str(entry.key()), entry.value()));
    }
    return new BraceFormat(in.ops, new Args(List.of(), named), escape).format(s);
  }
}
