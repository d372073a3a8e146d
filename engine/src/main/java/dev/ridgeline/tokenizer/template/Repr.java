package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Generator;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Namespace;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Range;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import dev.ridgeline.tokenizer.template.Values.View;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;

/** Python's {@code str} and {@code repr}. */
final class Repr {
  private static final RenderLimits BRIEF = new RenderLimits(1_000, 1_000, 20);

  private final Budget budget;

  Repr(Budget budget) {
    this.budget = budget;
  }

  /** What printing {@code value} shows. */
  String str(Object value) {
    return switch (value) {
      case String s -> s;
      case Markup m -> m.text();
      case Undefined u -> "";
      default -> repr(value);
    };
  }

  String repr(Object value) {
    StringBuilder out = new StringBuilder();
    append(value, out);
    return out.toString();
  }

  /** For error messages: never fails, leaves out what is too long. */
  static String brief(Object value) {
    try {
      return new Repr(new Budget(BRIEF)).repr(value);
    } catch (Fault tooLong) {
      return "a long " + Values.typeName(value);
    }
  }

  private void append(Object value, StringBuilder out) {
    budget.spend(1);
    budget.enter();
    switch (value) {
      case None n -> out.append("None");
      case Boolean b -> out.append(b ? "True" : "False");
      case Long l -> out.append(l.longValue());
      case Double d -> out.append(number(d));
      case String s -> appendQuoted(s, out);
      case Markup m -> {
        out.append("Markup(");
        appendQuoted(m.text(), out);
        out.append(')');
      }
      case Undefined u -> out.append("Undefined");
      case List<?> list -> appendAll("[", list, "]", out);
      case Tuple t -> appendAll("(", t.items(), t.items().size() == 1 ? ",)" : ")", out);
      case Dict dict -> appendDict(dict, out);
      case View view -> appendAll(view.typeName() + "([", view.items(), "])", out);
      case Range r when r.step() == 1 -> out.append("range(%d, %d)".formatted(r.start(), r.stop()));
      case Range r -> out.append("range(%d, %d, %d)".formatted(r.start(), r.stop(), r.step()));
      case Namespace n -> {
        out.append("<Namespace ");
        appendDict(n.attributes(), out);
        out.append('>');
      }
      case Macro m ->
          out.append(m.name() == null ? "<Macro anonymous>" : "<Macro " + quote(m.name()) + ">");
      case LoopContext loop ->
          out.append("<LoopContext %d/%d>".formatted(loop.index0() + 1, loop.length()));
      case Function f -> out.append(f.display());
      case Generator g -> out.append("<").append(g.typeName).append(" object>");
      default -> out.append("<jinja2.utils.").append(Values.typeName(value)).append(" object>");
    }
    budget.exit();
    budget.check(out);
  }

  private void appendAll(String open, List<?> items, String close, StringBuilder out) {
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      append(items.get(i), out);
    }
    out.append(close);
  }

  private void appendDict(Dict dict, StringBuilder out) {
    String separator = "{";
    for (Dict.Entry entry : dict.entries()) {
      out.append(separator);
      append(entry.key(), out);
      out.append(": ");
      append(entry.value(), out);
      separator = ", ";
    }
    out.append(dict.size() == 0 ? "{}" : "}");
  }

  private void appendQuoted(String text, StringBuilder out) {
    budget.build(text.length());
    out.append(quote(text));
  }

  /** A string literal as Python writes it: single quotes unless only those occur inside. */
  static String quote(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder(text.length() + 2).append(quote);
    text.codePoints().forEach(c -> appendEscaped(c, quote, out));
    return out.append(quote).toString();
  }

  /** The same with everything beyond ASCII escaped. */
  static String ascii(String quoted) {
    StringBuilder out = new StringBuilder();
    quoted.codePoints().forEach(c -> appendAscii(c, out));
    return out.toString();
  }

  private static void appendEscaped(int c, char quote, StringBuilder out) {
    switch (c) {
      case '\\' -> out.append("\\\\");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> {
        if (c == quote) {
          out.append('\\').append(quote);
        } else if (c < ' ' || c == 0x7f) {
          out.append("\\x%02x".formatted(c));
        } else if (c < 0x7f || Text.isPrintable(c)) {
          out.appendCodePoint(c);
        } else {
          appendAscii(c, out);
        }
      }
    }
  }

  private static void appendAscii(int c, StringBuilder out) {
    if (c < 0x80) {
      out.append((char) c);
    } else {
      out.append((c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
    }
  }

  /** A float as Python prints it: the shortest digits that read back as the same double. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    String sign = value < 0 || 1 / value < 0 ? "-" : "";
    if (value == 0) {
      return sign + "0.0";
    }
    BigDecimal shortest = shortest(Math.abs(value));
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - 1 - shortest.scale(); // of the first digit
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
      return "%s%s%se%s%02d"
          .formatted(
              sign, digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    String plain = shortest.toPlainString();
    return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
  }

  /** {@link Double#toString} is the shortest but for a second digit where one would do. */
  private static BigDecimal shortest(double value) {
    BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    BigDecimal oneDigit = exact.round(new MathContext(1, RoundingMode.HALF_EVEN));
    return exact.precision() == 2 && oneDigit.doubleValue() == value ? oneDigit : exact;
  }
}
