package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code format % arguments}: Python's older formatting of strings. */
final class PercentFormat {
  private final Ops ops;
  private final String format;
  private final Object arguments;
  private final boolean escape;
  private final StringBuilder out = new StringBuilder();
  private int position;
  private int used;

  /** Flags, width and precision of one conversion; -1 where not given. */
  private record Spec(String flags, int width, int precision) {
    boolean has(char flag) {
      return flags.indexOf(flag) >= 0;
    }
  }

  PercentFormat(Ops ops, String format, Object arguments, boolean escape) {
    this.ops = ops;
    this.format = format;
    this.arguments = arguments;
    this.escape = escape;
  }

  String format() {
    while (position < format.length()) {
      int percent = format.indexOf('%', position);
      int end = percent < 0 ? format.length() : percent;
      out.append(format, position, end);
      position = end + 1;
      if (percent >= 0) {
        conversion();
      }
      ops.budget.check(out);
    }
    boolean leftOver =
        arguments instanceof Tuple t ? used < t.items().size() : used == 0 && !isMapping(arguments);
    if (leftOver) {
      throw Fault.type("not all arguments converted during string formatting");
    }
    ops.budget.build(out.length());
    return out.toString();
  }

  /** What C calls a mapping: all that has subscripts, but tuples and strings. */
  private static boolean isMapping(Object value) {
    return value instanceof Dict
        || value instanceof List
        || value instanceof Undefined
        || value instanceof Values.Range;
  }

  private void conversion() {
    Object keyed = position < format.length() && format.charAt(position) == '(' ? keyed() : null;
    String flags = run("#0- +");
    int width = number();
    if (width == -2) {
      long given = star();
      flags = given < 0 ? flags + "-" : flags;
      width = (int) Math.min(Math.abs(given), Integer.MAX_VALUE);
    }
    int precision = -1;
    if (peek() == '.') {
      position++;
      precision = number();
      precision =
          precision == -2 ? Math.clamp(star(), 0, Integer.MAX_VALUE) : Math.max(0, precision);
    }
    run("hlL");
    if (position >= format.length()) {
      throw Fault.value("incomplete format");
    }
    ops.budget.build(Math.max(width, precision));
    char type = format.charAt(position++);
    Spec spec = new Spec(flags, width, precision);
    if (type == '%') {
      out.append('%');
    } else {
      convert(type, spec, keyed);
    }
  }

  private Object keyed() {
    int depth = 0;
    int start = position + 1;
    do {
      if (position >= format.length()) {
        throw Fault.value("incomplete format key");
      }
      char c = format.charAt(position++);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    } while (depth > 0);
    if (!isMapping(arguments)) {
      throw Fault.type("format requires a mapping");
    }
    used = 1;
    String key = format.substring(start, position - 1);
    Object value = arguments instanceof Dict dict ? dict.get(key) : ops.item(arguments, key);
    if (value == null) {
      throw new Fault("KeyError", Repr.quote(key));
    }
    return value;
  }

  private char peek() {
    return position < format.length() ? format.charAt(position) : 0;
  }

  private String run(String of) {
    int start = position;
    while (position < format.length() && of.indexOf(format.charAt(position)) >= 0) {
      position++;
    }
    return format.substring(start, position);
  }

  /** The digits here; -1 if there are none, -2 for an asterisk. */
  private int number() {
    if (peek() == '*') {
      position++;
      return -2;
    }
    String digits = run("0123456789");
    if (digits.length() > 9) {
      throw Fault.value("width too big");
    }
    return digits.isEmpty() ? -1 : Integer.parseInt(digits);
  }

  private long star() {
    Long value = Values.integer(next());
    if (value == null) {
      throw Fault.type("* wants int");
    }
    return value;
  }

  private Object next() {
    List<Object> all = arguments instanceof Tuple t ? t.items() : List.of(arguments);
    if (used >= all.size()) {
      throw Fault.type("not enough arguments for format string");
    }
    return all.get(used++);
  }

  private void convert(char type, Spec spec, @Nullable Object keyed) {
    if ("sradiuoxXeEfFgGc".indexOf(type) < 0) {
      throw Fault.value(
          "unsupported format character '%c' (0x%x) at index %d", type, (int) type, position - 1);
    }
    Object value = keyed == null ? next() : keyed;
    switch (type) {
      case 's', 'r', 'a' -> text(type, spec, value);
      case 'c' -> pad(spec, "", character(value), false);
      case 'd', 'i', 'u' -> digits(spec, wholeNumber(type, value), 10, "");
      case 'o' -> digits(spec, integer(type, value), 8, "0o");
      case 'x' -> digits(spec, integer(type, value), 16, "0x");
      case 'X' -> digits(spec, integer(type, value), -16, "0X");
      default -> floating(type, spec, value);
    }
  }

  private void text(char type, Spec spec, Object value) {
    String text = type == 's' ? ops.str(value) : ops.repr(value);
    text = type == 'a' ? Repr.ascii(text) : text;
    text = escape && !(value instanceof Markup) ? Markup.escape(text) : text;
    if (spec.precision() >= 0 && spec.precision() < Text.length(text)) {
      text = Text.substring(text, 0, spec.precision());
    }
    pad(spec, "", text, false);
  }

  private static String character(Object value) {
    Long code = Values.integer(value);
    String text = Values.text(value);
    if (code != null) {
      if (code < 0 || code > Character.MAX_CODE_POINT) {
        throw Fault.overflow("%%c arg not in range(0x110000)");
      }
      return Character.toString(code.intValue());
    }
    if (text == null || Text.length(text) != 1) {
      throw Fault.type("%%c requires int or char");
    }
    return text;
  }

  private static long wholeNumber(char type, Object value) {
    Ops.failIfUndefined(value);
    if (value instanceof Double d) {
      return Conversions.truncate(d);
    }
    Long number = Values.integer(value);
    if (number == null) {
      throw Fault.type(
          "%%%c format: a real number is required, not %s", type, Values.typeName(value));
    }
    return number;
  }

  private static long integer(char type, Object value) {
    Long number = Values.integer(value);
    if (number == null) {
      throw Fault.type("%%%c format: an integer is required, not %s", type, Values.typeName(value));
    }
    return number;
  }

  private void digits(Spec spec, long value, int radix, String prefix) {
    String digits = Long.toString(value, Math.abs(radix)).replace("-", "");
    digits = radix < 0 ? digits.toUpperCase(Locale.ROOT) : digits;
    int zeros = Math.max(0, spec.precision() - digits.length());
    String sign = sign(spec, value < 0) + (spec.has('#') ? prefix : "");
    pad(spec, sign, "0".repeat(zeros) + digits, spec.has('0'));
  }

  private void floating(char type, Spec spec, Object value) {
    Ops.failIfUndefined(value);
    Long integer = Values.integer(value);
    if (integer == null && !(value instanceof Double)) {
      throw Fault.type("must be real number, not %s", Values.typeName(value));
    }
    double number = integer == null ? (Double) value : integer.doubleValue();
    int precision = spec.precision() < 0 ? 6 : spec.precision();
    boolean negative = number < 0 || 1 / number < 0;
    String text = FloatText.of(number, type, precision, spec.has('#'));
    pad(spec, sign(spec, negative), text, spec.has('0'));
  }

  private static String sign(Spec spec, boolean negative) {
    return negative ? "-" : spec.has('+') ? "+" : spec.has(' ') ? " " : "";
  }

  private void pad(Spec spec, String sign, String text, boolean zeros) {
    int missing = Math.max(0, spec.width() - sign.length() - Text.length(text));
    if (spec.has('-')) {
      out.append(sign).append(text).repeat(' ', missing);
    } else if (zeros) {
      out.append(sign).repeat('0', missing).append(text);
    } else {
      out.repeat(' ', missing).append(sign).append(text);
    }
  }
}
