package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Markup;

/** Python's {@code str.format}: replacement fields with attributes, conversions and specs. */
final class BraceFormat {
  private final Ops ops;
  private final Args args;
  private final boolean escape;
  private int automatic;
  private boolean manual;

  BraceFormat(Ops ops, Args args, boolean escape) {
    this.ops = ops;
    this.args = args;
    this.escape = escape;
  }

  String format(String format) {
    return format(format, 2);
  }

  private String format(String format, int depth) {
    if (depth < 0) {
      throw Fault.value("Max string recursion exceeded");
    }
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i);
      boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if (c == '{' && !doubled) {
        int end = fieldEnd(format, i + 1);
        out.append(field(format.substring(i + 1, end), depth));
        i = end + 1;
      } else if (c == '}' && !doubled) {
        throw Fault.value("Single '}' encountered in format string");
      } else {
        out.append(c);
        i += c == '{' || c == '}' ? 2 : 1;
      }
      ops.budget.check(out);
    }
    ops.budget.build(out.length());
    return out.toString();
  }

  private static int fieldEnd(String format, int start) {
    if (start == format.length()) {
      throw Fault.value("Single '{' encountered in format string");
    }
    int depth = 1;
    for (int i = start; i < format.length(); i++) {
      depth += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw Fault.value(
        format.indexOf(':', start) < 0
            ? "expected '}' before end of string"
            : "unmatched '{' in format spec");
  }

  private String field(String field, int depth) {
    int nameEnd = nameEnd(field);
    String name = field.substring(0, nameEnd);
    String rest = field.substring(nameEnd);
    Object value = lookUp(name);
    if (rest.startsWith("!")) {
      if (rest.length() < 2 || (rest.length() > 2 && rest.charAt(2) != ':')) {
        throw Fault.value(
            rest.length() < 2
                ? "end of string while looking for conversion specifier"
                : "expected ':' after conversion specifier");
      }
      value = converted(value, rest.charAt(1));
      rest = rest.substring(2);
    }
    String spec = rest.isEmpty() ? "" : format(rest.substring(1), depth - 1);
    String text = FormatSpec.format(ops, value, spec);
    return escape && !(value instanceof Markup) ? Markup.escape(text) : text;
  }

  /** The name ends at the first colon or exclamation mark outside of brackets. */
  private static int nameEnd(String field) {
    boolean bracket = false;
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      bracket = c == '[' || (bracket && c != ']');
      if (!bracket && (c == ':' || c == '!')) {
        return i;
      }
      if (c == '{') {
        throw Fault.value("unexpected '{' in field name");
      }
    }
    return field.length();
  }

  private Object converted(Object value, char conversion) {
    return switch (conversion) {
      case 's' -> ops.str(value);
      case 'r' -> ops.repr(value);
      case 'a' -> Repr.ascii(ops.repr(value));
      default -> throw Fault.value("Unknown conversion specifier %s", conversion);
    };
  }

  private Object lookUp(String name) {
    int i = 0;
    while (i < name.length() && name.charAt(i) != '.' && name.charAt(i) != '[') {
      i++;
    }
    Object value = argument(name.substring(0, i), name.isEmpty());
    while (i < name.length()) {
      if (name.charAt(i) == '.') {
        int end = i + 1;
        while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
          end++;
        }
        value = ops.member(value, nonEmpty(name.substring(i + 1, end)));
        i = end;
      } else if (name.charAt(i) == '[') {
        int end = name.indexOf(']', i);
        if (end < 0) {
          throw Fault.value("Missing ']' in format string");
        }
        String key = nonEmpty(name.substring(i + 1, end));
        value = ops.item(value, isNumber(key) ? Long.valueOf(key) : key);
        i = end + 1;
      } else {
        throw Fault.value("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  private static String nonEmpty(String part) {
    if (part.isEmpty()) {
      throw Fault.value("Empty attribute in format string");
    }
    return part;
  }

  private static boolean isNumber(String name) {
    return !name.isEmpty()
        && name.length() < 10
        && name.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private Object argument(String name, boolean wholeNameEmpty) {
    if (wholeNameEmpty || isNumber(name)) {
      if (wholeNameEmpty ? manual : automatic > 0) {
        throw Fault.value(
            "cannot switch from manual field specification to automatic field numbering");
      }
      manual |= !wholeNameEmpty;
      int index = wholeNameEmpty ? automatic++ : Integer.parseInt(name);
      if (index >= args.count()) {
        throw new Fault("IndexError", "tuple index out of range");
      }
      return args.positional().get(index);
    }
    Object value = args.named().get(name);
    if (value == null) {
      throw new Fault("KeyError", Repr.quote(name));
    }
    return value;
  }
}
