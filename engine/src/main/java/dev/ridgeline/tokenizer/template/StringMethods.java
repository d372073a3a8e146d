package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Args.Bound;
import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The methods of Python's {@code str}, and of the {@link Markup} that wraps one. */
final class StringMethods {
  private interface Method {
    Object call(Interpreter in, String self, Args args);
  }

  private static final int NO_LIMIT = Integer.MAX_VALUE;

  private static final Map<String, Method> METHODS =
      Map.ofEntries(
          Map.entry("upper", plain(Text::upper)),
          Map.entry("lower", plain(Text::lower)),
          Map.entry("title", plain(Text::title)),
          Map.entry("capitalize", plain(Text::capitalize)),
          Map.entry("swapcase", plain(Text::swapCase)),
          Map.entry("casefold", plain(Text::caseFold)),
          Map.entry("strip", (in, s, args) -> strip(s, args, "strip", true, true)),
          Map.entry("lstrip", (in, s, args) -> strip(s, args, "lstrip", true, false)),
          Map.entry("rstrip", (in, s, args) -> strip(s, args, "rstrip", false, true)),
          Map.entry(
              "split", (in, s, args) -> split(in, s, args.bind("split", 0, "sep", "maxsplit"))),
          Map.entry(
              "rsplit", (in, s, args) -> rsplit(in, s, args.bind("rsplit", 0, "sep", "maxsplit"))),
          Map.entry("splitlines", StringMethods::splitLines),
          Map.entry("partition", (in, s, args) -> partition(in, s, args, false)),
          Map.entry("rpartition", (in, s, args) -> partition(in, s, args, true)),
          Map.entry("join", StringMethods::join),
          Map.entry("replace", StringMethods::replace),
          Map.entry("startswith", (in, s, args) -> affix(s, args, "startswith")),
          Map.entry("endswith", (in, s, args) -> affix(s, args, "endswith")),
          Map.entry("removeprefix", StringMethods::removePrefix),
          Map.entry("removesuffix", StringMethods::removeSuffix),
          Map.entry("find", (in, s, args) -> find(in, s, args, "find")),
          Map.entry("rfind", (in, s, args) -> find(in, s, args, "rfind")),
          Map.entry("index", (in, s, args) -> find(in, s, args, "index")),
          Map.entry("rindex", (in, s, args) -> find(in, s, args, "rindex")),
          Map.entry("count", StringMethods::count),
          Map.entry("center", (in, s, args) -> justify(in, s, args, "center")),
          Map.entry("ljust", (in, s, args) -> justify(in, s, args, "ljust")),
          Map.entry("rjust", (in, s, args) -> justify(in, s, args, "rjust")),
          Map.entry("zfill", StringMethods::zeroFill),
          Map.entry("expandtabs", StringMethods::expandTabs),
          Map.entry("isalpha", all(Character::isLetter)),
          Map.entry("isdecimal", all(Character::isDigit)),
          Map.entry("isdigit", all(Text::isDigit)),
          Map.entry("isnumeric", all(Text::isNumeric)),
          Map.entry("isalnum", all(Text::isAlphanumeric)),
          Map.entry("isspace", all(Text::isSpace)),
          Map.entry("isascii", (in, s, args) -> s.chars().allMatch(c -> c < 128)),
          Map.entry("isprintable", (in, s, args) -> s.codePoints().allMatch(Text::isPrintable)),
          Map.entry("isidentifier", (in, s, args) -> Lexer.isIdentifier(s)),
          Map.entry("isupper", (in, s, args) -> isUpper(s)),
          Map.entry("islower", (in, s, args) -> isLower(s)),
          Map.entry("istitle", (in, s, args) -> isTitle(s)),
          Map.entry("format", (in, s, args) -> format(in, s, "format", args, false)),
          Map.entry("format_map", (in, s, args) -> format(in, s, "format_map", args, false)),
          Map.entry("encode", refused("encode")),
          Map.entry("translate", refused("translate")),
          Map.entry("maketrans", refused("maketrans")));

  private StringMethods() {}

  /** The bound method, or null if {@code str} has none of that name. */
  static @Nullable Object get(String self, boolean markup, String name) {
    Method method = METHODS.get(name);
    if (method == null) {
      return null;
    }
    return Function.method(
        "str",
        name,
        (in, args) -> {
          in.budget.build(self.length());
          if (!markup) {
            return method.call(in, self, args);
          }
          return wrapped(
              name.startsWith("format")
                  ? format(in, self, name, args, true)
                  : method.call(in, self, escaped(in, name, args)));
        });
  }

  /** Markup escapes what these methods put into it. */
  private static Args escaped(Interpreter in, String name, Args args) {
    return switch (name) {
      case "join" -> {
        List<Object> items = new ArrayList<>();
        args.positionalOnly("join", 1, 1);
        in.ops
            .iterate(args.positional().get(0))
            .forEachRemaining(item -> items.add(escape(in, item)));
        yield Args.of(items);
      }
      case "replace", "ljust", "rjust", "center" -> {
        List<Object> positional = new ArrayList<>(args.positional());
        if (positional.size() > 1) {
          positional.set(1, escape(in, positional.get(1)));
        }
        yield new Args(positional, args.named());
      }
      default -> args;
    };
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

  private static Method plain(UnaryOperator<String> body) {
    return (in, s, args) -> {
      args.positionalOnly("str method", 0, 0);
      return body.apply(s);
    };
  }

  private static Method all(IntPredicate test) {
    return (in, s, args) -> !s.isEmpty() && s.codePoints().allMatch(test);
  }

  private static Method refused(String name) {
    return (in, s, args) -> Attributes.unsupported("str", name).body().call(in, args);
  }

  private static String strip(String s, Args args, String name, boolean left, boolean right) {
    Bound bound = args.positionalOnly(name, 0, 1);
    if (!bound.has(0)) {
      return Text.strip(s, left, right, Text::isSpace);
    }
    String chars = Values.text(bound.get(0));
    if (chars == null) {
      Ops.failIfUndefined(bound.get(0));
      throw Fault.type("%s arg must be None or str", name);
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
      in.budget.spend(1);
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
      in.budget.spend(1);
      if (words.size() == limit) {
        words.add(Text.stripEnd(s.substring(start)));
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

  static List<Object> rsplit(Interpreter in, String s, Bound bound) {
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
      in.budget.spend(1);
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
      in.budget.spend(1);
      if (words.size() == limit) {
        words.add(s.substring(skip(s, 0, true), end));
        break;
      }
      int start = skipBack(s, end, false);
      words.add(s.substring(start, end));
      end = skipBack(s, start, true);
    }
    return words;
  }

  private static Object splitLines(Interpreter in, String s, Args args) {
    boolean keepEnds = args.bind("splitlines", 0, "keepends").truth(0, false);
    List<String> lines = Text.lines(s, keepEnds);
    in.budget.spend(lines.size());
    return new ArrayList<Object>(lines);
  }

  private static int indexOf(Interpreter in, String s, String part, boolean last) {
    in.ops.paySearch(s, part);
    return last ? s.lastIndexOf(part) : s.indexOf(part);
  }

  private static Object partition(Interpreter in, String s, Args args, boolean last) {
    String separator = separator(args.positionalOnly("partition", 1, 1));
    int at = indexOf(in, s, separator, last);
    if (at < 0) {
      return last ? new Tuple("", "", s) : new Tuple(s, "", "");
    }
    return new Tuple(s.substring(0, at), separator, s.substring(at + separator.length()));
  }

  private static Object join(Interpreter in, String separator, Args args) {
    Object items = args.positionalOnly("str.join", 1, 1).get(0);
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

  private static Object replace(Interpreter in, String s, Args args) {
    Bound bound = args.positionalOnly("replace", 2, 3);
    return replace(in, s, bound.text(0), bound.text(1), limit(bound, 2));
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

  private static Object affix(String s, Args args, String name) {
    Bound bound = args.positionalOnly(name, 1, 3);
    Window window = Window.of(s, bound);
    boolean start = name.equals("startswith");
    if (bound.get(0) instanceof Tuple candidates) {
      return candidates.items().stream().anyMatch(c -> matches(s, window, affix(c, name), start));
    }
    return matches(s, window, affix(bound.get(0), name), start);
  }

  private static String affix(Object value, String name) {
    String text = Values.text(value);
    if (text == null) {
      throw Fault.type(
          "%s first arg must be str or a tuple of str, not %s", name, Values.typeName(value));
    }
    return text;
  }

  private static boolean matches(String s, Window window, String affix, boolean start) {
    return window.valid()
        && affix.length() <= window.end() - window.start()
        && s.startsWith(affix, start ? window.start() : window.end() - affix.length());
  }

  private static Object removePrefix(Interpreter in, String s, Args args) {
    String prefix = args.positionalOnly("removeprefix", 1, 1).text(0);
    return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
  }

  private static Object removeSuffix(Interpreter in, String s, Args args) {
    String suffix = args.positionalOnly("removesuffix", 1, 1).text(0);
    return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
  }

  private static Object find(Interpreter in, String s, Args args, String name) {
    Bound bound = args.positionalOnly(name, 1, 3);
    String part = part(bound);
    Window window = Window.of(s, bound);
    int at = window.valid() ? indexOf(in, window.of(s), part, name.startsWith("r")) : -1;
    if (at < 0 && name.endsWith("index")) {
      throw Fault.value("substring not found");
    }
    return at < 0 ? -1L : (long) s.codePointCount(0, window.start() + at);
  }

  private static String part(Bound bound) {
    String part = Values.text(bound.get(0));
    if (part == null) {
      throw Fault.type("must be str, not %s", Values.typeName(bound.get(0)));
    }
    return part;
  }

  private static Object count(Interpreter in, String s, Args args) {
    Bound bound = args.positionalOnly("count", 1, 3);
    String part = part(bound);
    Window window = Window.of(s, bound);
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

  private static Object justify(Interpreter in, String s, Args args, String name) {
    Bound bound = args.positionalOnly(name, 1, 2);
    Object filler = bound.get(1, " ");
    String fill = Values.text(filler);
    if (fill == null || Text.length(fill) != 1) {
      throw fill == null
          ? Fault.type(
              "The fill character must be a unicode character, not %s", Values.typeName(filler))
          : Fault.type("The fill character must be exactly one character long");
    }
    return justify(in.budget, s, bound.integer(0), fill, name);
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

  private static Object zeroFill(Interpreter in, String s, Args args) {
    long width = args.positionalOnly("zfill", 1, 1).integer(0);
    int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
    String digits = s.substring(sign);
    return s.substring(0, sign) + justify(in.budget, digits, width - sign, "0", "rjust");
  }

  private static Object expandTabs(Interpreter in, String s, Args args) {
    long size = args.bind("expandtabs", 0, "tabsize").integer(0, 8);
    StringBuilder out = new StringBuilder();
    long column = 0;
    for (int c : s.codePoints().toArray()) {
      if (c == '\t') {
        long spaces = size <= 0 ? 0 : size - column % size;
        in.budget.build(out.length() + spaces);
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
    Object mapping = args.positionalOnly("format_map", 1, 1).get(0);
    Map<String, Object> named = new LinkedHashMap<>();
    if (mapping instanceof Dict dict) {
      dict.entries().forEach(entry -> named.put(in.ops.str(entry.key()), entry.value()));
    }
    return new BraceFormat(in.ops, new Args(List.of(), named), escape).format(s);
  }
}
