package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Args.Bound;
import dev.ridgeline.tokenizer.template.Filters.Filter;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The filters that work on one text, number or value. */
final class TextFilters {
  private static final int TRUNCATE_LEEWAY = 5; // Jinja's default policy
  private static final int MAX_DIGITS = 400; // no double has a digit further from the point

  private TextFilters() {}

  static Map<String, Filter> all() {
    Map<String, Filter> filters = new HashMap<>();
    filters.put("upper", (in, value, args) -> method(in, value, "upper"));
    filters.put("lower", (in, value, args) -> method(in, value, "lower"));
    filters.put("capitalize", (in, value, args) -> method(in, value, "capitalize"));
    filters.put("title", TextFilters::title);
    filters.put(
        "trim",
        (in, value, args) -> method(in, value, "strip", args.bind("trim", 0, "chars").get(0)));
    filters.put(
        "center",
        (in, value, args) ->
            method(in, value, "center", args.bind("center", 0, "width").get(0, 80L)));
    filters.put("string", (in, value, args) -> soft(in, value));
    filters.put("safe", (in, value, args) -> new Markup(in.ops.str(value)));
    filters.put("escape", (in, value, args) -> escape(in, value));
    filters.put("e", (in, value, args) -> escape(in, value));
    filters.put("forceescape", (in, value, args) -> escape(in, in.ops.str(value)));
    filters.put("replace", TextFilters::replace);
    filters.put("format", TextFilters::format);
    filters.put("indent", TextFilters::indent);
    filters.put("truncate", TextFilters::truncate);
    filters.put("wordcount", TextFilters::wordCount);
    filters.put("wordwrap", TextFilters::wordWrap);
    filters.put("urlencode", TextFilters::urlEncode);
    filters.put("filesizeformat", TextFilters::fileSize);
    filters.put("int", TextFilters::toInteger);
    filters.put("float", TextFilters::toFloat);
    filters.put("round", TextFilters::round);
    filters.put("abs", TextFilters::absolute);
    filters.put("default", TextFilters::otherwise);
    filters.put("d", TextFilters::otherwise);
    filters.put("attr", TextFilters::attribute);
    filters.put("tojson", Json::dump);
    return filters;
  }

  /** Text as it is, marked or not; anything else printed. */
  private static Object soft(Interpreter in, Object value) {
    return value instanceof Markup ? value : in.ops.str(value);
  }

  private static Object method(Interpreter in, Object value, String name, Object... arguments) {
    return in.call(in.ops.member(soft(in, value), name), Args.of(arguments));
  }

  private static Object escape(Interpreter in, Object value) {
    if (value instanceof Markup) {
      return value;
    }
    String escaped = Markup.escape(in.ops.str(value));
    in.budget.build(escaped.length());
    return new Markup(escaped);
  }

  /** Words begin after white space and opening brackets, not after every mark as in str.title. */
  private static Object title(Interpreter in, Object value, Args args) {
    String s = in.ops.str(value);
    in.budget.build(s.length());
    StringBuilder out = new StringBuilder(s.length());
    int start = 0;
    while (start < s.length()) {
      int end = start;
      while (end < s.length() && !beginsWord(s.codePointAt(end))) {
        end += Character.charCount(s.codePointAt(end));
      }
      if (end > start) {
        int first = Character.charCount(s.codePointAt(start));
        out.append(Text.upper(s.substring(start, start + first)))
            .append(Text.lower(s.substring(start + first, end)));
      }
      start = end;
      while (start < s.length() && beginsWord(s.codePointAt(start))) {
        out.append(s.charAt(start++));
      }
    }
    return out.toString();
  }

  private static boolean beginsWord(int c) {
    return Text.isSpace(c) || "-({[<".indexOf(c) >= 0;
  }

  private static Object replace(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("replace", 2, "old", "new", "count");
    long count = bound.has(2) ? bound.integer(2) : -1;
    return StringMethods.replace(
        in,
        in.ops.str(value),
        in.ops.str(bound.get(0)),
        in.ops.str(bound.get(1)),
        count < 0 ? Integer.MAX_VALUE : (int) Math.min(count, Integer.MAX_VALUE));
  }

  private static Object format(Interpreter in, Object value, Args args) {
    if (args.count() > 0 && !args.named().isEmpty()) {
      throw Fault.argument("can't handle positional and keyword arguments at the same time");
    }
    Dict named = new Dict();
    args.named().forEach(named::put);
    Object arguments = args.named().isEmpty() ? new Tuple(args.positional()) : named;
    return in.arithmetic.binary("%", soft(in, value), arguments);
  }

  private static Object indent(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("indent", 0, "width", "first", "blank");
    boolean blank = bound.truth(2, false);
    String text = Values.text(value);
    if (text == null) {
      Ops.failIfUndefined(value);
      throw value instanceof List
          ? Fault.attribute(value, "splitlines")
          : Fault.type(
              "unsupported operand type(s) for +=: '%s' and 'str'", Values.typeName(value));
    }
    Object width = bound.get(0, 4L);
    String given = Values.text(width);
    String indention = given == null ? in.ops.str(in.arithmetic.binary("*", " ", width)) : given;
    List<String> lines = Text.lines(text + "\n", false, in.budget);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      boolean indented = i == 0 ? bound.truth(1, false) : blank || !line.isEmpty();
      in.budget.build((long) line.length() + indention.length());
      out.append(i == 0 ? "" : "\n").append(indented ? indention : "").append(line);
      in.budget.check(out);
    }
    return value instanceof Markup ? new Markup(out.toString()) : out.toString();
  }

  private static Object truncate(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("truncate", 0, "length", "killwords", "end", "leeway");
    Object end = bound.get(2, "...");
    long endLength = in.ops.length(end);
    long length = bound.integer(0, 255);
    long leeway = bound.has(3) ? bound.integer(3) : TRUNCATE_LEEWAY;
    if (length < endLength) {
      throw new Fault(
          "AssertionError", "expected length >= %d, got %d".formatted(endLength, length));
    }
    if (leeway < 0) {
      throw new Fault("AssertionError", "expected leeway >= 0, got %d".formatted(leeway));
    }
    if (in.ops.length(value) <= length + leeway) {
      return value;
    }
    Object head = in.ops.slice(value, None.NONE, length - endLength, None.NONE);
    if (!bound.truth(1, false)) {
      if (Values.text(head) == null) {
        throw Fault.attribute(head, "rsplit");
      }
      Object words = in.call(in.ops.member(head, "rsplit"), Args.of(" ", 1L));
      head = in.ops.item(words, 0L);
    }
    return in.arithmetic.binary("+", head, end);
  }

  private static Object wordCount(Interpreter in, Object value, Args args) {
    String text = in.ops.str(value);
    in.budget.build(text.length());
    long words = 0;
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      boolean word = c == '_' || Text.isAlphanumeric(c);
      words += word && !inside ? 1 : 0;
      inside = word;
    }
    return words;
  }

  private static Object wordWrap(Interpreter in, Object value, Args args) {
    Bound bound =
        args.bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens");
    long width = bound.integer(0, 79);
    if (width <= 0) {
      throw Fault.value("invalid width %d (must be > 0)", width);
    }
    String text = Values.text(value);
    if (text == null) {
      Ops.failIfUndefined(value);
      throw Fault.attribute(value, "splitlines");
    }
    in.budget.build(text.length());
    WordWrap wrap =
        new WordWrap(
            (int) Math.min(width, Integer.MAX_VALUE),
            bound.truth(1, true),
            bound.truth(3, true),
            in.budget);
    List<String> lines = new ArrayList<>();
    String separator = bound.has(2) ? bound.text(2) : "\n";
    for (String line : Text.lines(text, false, in.budget)) {
      lines.add(StringMethods.join(in.budget, separator, wrap.wrap(line)));
    }
    return StringMethods.join(in.budget, separator, lines);
  }

  private static Object urlEncode(Interpreter in, Object value, Args args) {
    if (Values.text(value) != null || !Ops.isIterable(value)) {
      return quoteUrl(in, value, "/", "%20");
    }
    List<String> pairs = new ArrayList<>();
    for (Object pair : value instanceof Dict dict ? dict.items() : in.ops.list(value)) {
      List<Object> both = in.ops.unpack(pair, 2);
      pairs.add(quoteUrl(in, both.get(0), "", "+") + "=" + quoteUrl(in, both.get(1), "", "+"));
    }
    return StringMethods.join(in.budget, "&", pairs);
  }

  private static String quoteUrl(Interpreter in, Object value, String safe, String space) {
    String text = in.ops.str(value);
    in.budget.build(3L * text.length());
    StringBuilder out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain = c < 128 && (Character.isLetterOrDigit(c) || ("_.-~" + safe).indexOf(c) >= 0);
      if (plain) {
        out.append(c);
      } else {
        out.append(c == ' ' ? space : "%%%02X".formatted((int) c));
      }
    }
    return out.toString();
  }

  private static Object fileSize(Interpreter in, Object value, Args args) {
    int base = args.bind("filesizeformat", 0, "binary").truth(0, false) ? 1024 : 1000;
    double bytes = number(in, value);
    if (bytes == 1) {
      return "1 Byte";
    }
    if (bytes < base) {
      return Conversions.truncate(bytes) + " Bytes";
    }
    int power = 1;
    while (power < 8 && bytes >= Math.pow(base, power + 1)) {
      power++;
    }
    String size = FloatText.of(base * bytes / Math.pow(base, power + 1), 'f', 1, false);
    return size
        + " "
        + (base == 1024 ? "KMGTPEZY" : "kMGTPEZY").charAt(power - 1)
        + (base == 1024 ? "iB" : "B");
  }

  /** Python's {@code float(value)}. */
  private static double number(Interpreter in, Object value) {
    Ops.failIfUndefined(value);
    String text = Values.text(value);
    Long integer = Values.integer(value);
    if (text != null) {
      in.budget.build(text.length());
      Double parsed = Conversions.parseFloat(text);
      if (parsed == null) {
        throw Fault.value("could not convert string to float: %s", Repr.quote(text));
      }
      return parsed;
    }
    if (integer == null && !(value instanceof Double)) {
      throw Fault.type(
          "float() argument must be a string or a real number, not '%s'", Values.typeName(value));
    }
    return integer == null ? (Double) value : integer.doubleValue();
  }

  private static Object toInteger(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("int", 0, "default", "base");
    Object otherwise = bound.get(0, 0L);
    Ops.failIfUndefined(value);
    String text = Values.text(value);
    Long integer = Values.integer(value);
    if (integer != null) {
      return integer;
    }
    if (value instanceof Double d) {
      return d.isNaN() ? otherwise : Conversions.truncate(d);
    }
    if (text == null) {
      return otherwise;
    }
    in.budget.build(text.length());
    long base = bound.integer(1, 10);
    Long parsed =
        base == 0 || (base >= 2 && base <= 36) ? Conversions.parseInteger(text, (int) base) : null;
    if (parsed != null) {
      return parsed;
    }
    Double d = Conversions.parseFloat(text);
    return d == null || d.isNaN() || d.isInfinite() ? otherwise : Conversions.truncate(d);
  }

  private static Object toFloat(Interpreter in, Object value, Args args) {
    Object otherwise = args.bind("float", 0, "default").get(0, 0.0);
    Ops.failIfUndefined(value);
    String text = Values.text(value);
    if (text != null) {
      in.budget.build(text.length());
      Double parsed = Conversions.parseFloat(text);
      return parsed == null ? otherwise : parsed;
    }
    boolean isNumber = value instanceof Double || Values.integer(value) != null;
    return isNumber ? number(in, value) : otherwise;
  }

  private static Object round(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("round", 0, "precision", "method");
    String method = in.ops.str(bound.get(1, "common"));
    if (!List.of("common", "ceil", "floor").contains(method)) {
      throw Fault.argument("method must be common, ceil or floor");
    }
    if (method.equals("common")) {
      return roundHalfEven(value, bound.integer(0, 0));
    }
    Object scale = in.arithmetic.binary("**", 10L, bound.get(0, 0L));
    Object scaled = in.arithmetic.binary("*", value, scale);
    Long integer = Values.integer(scaled);
    double number = integer == null ? number(in, scaled) : integer.doubleValue();
    double whole = method.equals("ceil") ? Math.ceil(number) : Math.floor(number);
    return in.arithmetic.binary("/", Conversions.truncate(whole), scale);
  }

  private static Object roundHalfEven(Object value, long precision) {
    Long integer = Values.integer(value);
    boolean exact = precision > MAX_DIGITS || (integer != null && precision >= 0);
    if (integer == null && !(value instanceof Double)) {
      throw Fault.type("type %s doesn't define __round__ method", Values.typeName(value));
    }
    if (exact || (value instanceof Double d && !Double.isFinite(d))) {
      return integer == null ? value : integer;
    }
    BigDecimal number =
        integer == null ? new BigDecimal((Double) value) : BigDecimal.valueOf(integer);
    int digits = (int) Math.max(precision, -MAX_DIGITS);
    BigDecimal rounded = number.setScale(digits, RoundingMode.HALF_EVEN);
    if (integer != null) {
      return Conversions.truncate(rounded.doubleValue());
    }
    return Math.copySign(rounded.doubleValue(), (Double) value);
  }

  private static Object absolute(Interpreter in, Object value, Args args) {
    if (value instanceof Double d) {
      return Math.abs(d);
    }
    Long integer = Values.integer(value);
    if (integer == null) {
      throw Fault.type("bad operand type for abs(): '%s'", Values.typeName(value));
    }
    return integer < 0 ? in.arithmetic.negate(integer) : integer;
  }

  private static Object otherwise(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("default", 0, "default_value", "boolean");
    boolean use = value instanceof Undefined || (bound.truth(1, false) && !Ops.truth(value));
    return use ? bound.get(0, "") : value;
  }

  private static Object attribute(Interpreter in, Object value, Args args) {
    Object name = args.bind("attr", 1, "name").get(0);
    String text = Values.text(name);
    if (text == null) {
      throw Fault.type("attribute name must be string, not '%s'", Values.typeName(name));
    }
    Object found = Attributes.get(value, text);
    return found == null ? Undefined.member(value, text) : found;
  }
}
