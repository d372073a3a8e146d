package dev.ridgeline.tokenizer.template;

import java.util.Locale;

/**
 * A format specification, {@code [[fill]align][sign][#][0][width][grouping][.precision][type]}.
 *
 * @param align 0 where not given
 * @param width -1 where not given
 * @param grouping 0 where not given
 * @param precision -1 where not given
 * @param type 0 where not given
 */
record FormatSpec(
    String fill,
    char align,
    char sign,
    boolean alternate,
    int width,
    char grouping,
    int precision,
    char type) {

  /** Python's {@code format(value, spec)}. */
  static String format(Ops ops, Object value, String spec) {
    return spec.isEmpty() ? ops.str(value) : new Parser(spec, value).parse().apply(ops, value);
  }

  private static final class Parser {
    private final String spec;
    private final Object value;
    private int i;

    Parser(String spec, Object value) {
      this.spec = spec;
      this.value = value;
    }

    FormatSpec parse() {
      String fill = " ";
      char align = 0;
      int first = spec.isEmpty() ? 0 : Character.charCount(spec.codePointAt(0));
      if (first > 0 && first < spec.length() && "<>=^".indexOf(spec.charAt(first)) >= 0) {
        fill = spec.substring(0, first);
        align = spec.charAt(first);
        i = first + 1;
      } else {
        align = take("<>=^");
      }
      char sign = take("+- ");
      boolean alternate = take("#") != 0;
      if (take("0") != 0 && align == 0) {
        fill = "0";
        align = '=';
      }
      int width = number();
      char grouping = take(",_");
      int precision = -1;
      if (take(".") != 0) {
        precision = number();
        if (precision < 0) {
          throw Fault.value("Format specifier missing precision");
        }
      }
      if (spec.length() - i > 1) {
        throw Fault.value(
            "Invalid format specifier '%s' for object of type '%s'", spec, Values.typeName(value));
      }
      char type = i < spec.length() ? spec.charAt(i) : 0;
      return new FormatSpec(fill, align, sign, alternate, width, grouping, precision, type);
    }

    private char take(String of) {
      return i < spec.length() && of.indexOf(spec.charAt(i)) >= 0 ? spec.charAt(i++) : 0;
    }

    private int number() {
      int start = i;
      while (i < spec.length() && spec.charAt(i) >= '0' && spec.charAt(i) <= '9') {
        i++;
      }
      if (i - start > 9) {
        throw Fault.value("Too many decimal digits in format string");
      }
      return i == start ? -1 : Integer.parseInt(spec, start, i, 10);
    }
  }

  private String apply(Ops ops, Object value) {
    ops.budget.build(Math.max(width, precision));
    String text = Values.text(value);
    Long integer = Values.integer(value);
    if (text != null) {
      return ofText(text);
    }
    if (integer != null) {
      return "eEfFgG%".indexOf(type) >= 0 && type != 0
          ? ofFloat(integer.doubleValue(), value)
          : ofInteger(integer, value);
    }
    if (value instanceof Double d) {
      return ofFloat(d, value);
    }
    throw Fault.type("unsupported format string passed to %s.__format__", Values.typeName(value));
  }

  private Fault unknown(Object value) {
    return Fault.value(
        "Unknown format code '%c' for object of type '%s'", type, Values.typeName(value));
  }

  private String ofText(String text) {
    if (type != 0 && type != 's') {
      throw unknown(text);
    }
    if (sign != 0) {
      throw Fault.value(
          "%s not allowed in string format specifier", sign == ' ' ? "Space" : "Sign");
    }
    if (alternate) {
      throw Fault.value("Alternate form (#) not allowed in string format specifier");
    }
    if (align == '=' && !fill.equals("0")) {
      throw Fault.value("'=' alignment not allowed in string format specifier");
    }
    if (grouping != 0) {
      throw Fault.value("Cannot specify '%c' with 's'.", grouping);
    }
    boolean cut = precision >= 0 && precision < Text.length(text);
    return aligned("", cut ? Text.substring(text, 0, precision) : text, '<');
  }

  private String ofInteger(long value, Object original) {
    int radix =
        switch (type) {
          case 'b' -> 2;
          case 'o' -> 8;
          case 'x', 'X' -> 16;
          case 0, 'd', 'n' -> 10;
          case 'c' -> 1;
          default -> throw unknown(original);
        };
    if (precision >= 0) {
      throw Fault.value("Precision not allowed in integer format specifier");
    }
    if (radix == 1) {
      if (value < 0 || value > Character.MAX_CODE_POINT) {
        throw Fault.overflow("%%c arg not in range(0x110000)");
      }
      return aligned("", Character.toString((int) value), '<');
    }
    String digits = Long.toString(value, radix).replace("-", "");
    String prefix = alternate && radix != 10 ? "0" + type : "";
    digits = type == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
    return number(signOf(value < 0) + prefix, digits, "", radix == 10 ? 3 : 4);
  }

  private String ofFloat(double value, Object original) {
    if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
      throw unknown(original);
    }
    boolean negative = value < 0 || 1 / value < 0;
    String text;
    if (type == 0 && precision < 0) {
      text = Repr.number(Math.abs(value));
    } else if (type == 0) {
      text = FloatText.of(value, 'g', precision, alternate);
      text =
          text.matches("\\d+") && text.length() < precision
              ? text + ".0"
              : withExponent(value, text);
    } else if (type == '%') {
      text = FloatText.of(value * 100, 'f', precision < 0 ? 6 : precision, alternate) + "%";
    } else {
      char form = type == 'n' ? 'g' : type;
      text = FloatText.of(value, form, precision < 0 ? 6 : precision, alternate);
    }
    int end = 0;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return number(signOf(negative), text.substring(0, end), text.substring(end), 3);
  }

  /** Without a type, a float that uses up its precision before the point shows an exponent. */
  private String withExponent(double value, String text) {
    return text.matches("\\d+") && text.length() == precision
        ? FloatText.of(value, 'e', precision - 1, alternate).replaceFirst("\\.?0*(?=e)", "")
        : text;
  }

  private String signOf(boolean negative) {
    return negative ? "-" : sign == '+' ? "+" : sign == ' ' ? " " : "";
  }

  private String number(String sign, String digits, String rest, int group) {
    if (grouping == 0) {
      return aligned(sign, digits + rest, '>');
    }
    int count = digits.length();
    if (count > 0 && align == '=' && fill.equals("0")) {
      while (sign.length() + count + (count - 1) / group + rest.length() < width) {
        count++;
      }
    }
    return aligned(sign, grouped("0".repeat(count - digits.length()) + digits, group) + rest, '>');
  }

  private String grouped(String digits, int group) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < digits.length(); i++) {
      if (i > 0 && (digits.length() - i) % group == 0) {
        out.append(grouping);
      }
      out.append(digits.charAt(i));
    }
    return out.toString();
  }

  private String aligned(String sign, String text, char usual) {
    int missing = Math.max(0, width - sign.length() - Text.length(text));
    int left =
        switch (align == 0 || (align == '=' && usual == '<') ? usual : align) {
          case '<' -> 0;
          case '^' -> missing / 2;
          default -> missing;
        };
    String before = fill.repeat(left);
    String after = fill.repeat(missing - left);
    return align == '=' ? sign + before + text + after : before + sign + text + after;
  }
}
