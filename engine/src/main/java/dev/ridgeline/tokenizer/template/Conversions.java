package dev.ridgeline.tokenizer.template;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's {@code int(x)} and {@code float(x)}. */
final class Conversions {
  private static final String DIGITS = "[0-9]+(?:_[0-9]+)*";
  private static final Pattern FLOAT =
      Pattern.compile(
          "[+-]?(?:(?:D(?:[.](?:D)?)?|[.]D)(?:e[+-]?D)?|inf(?:inity)?|nan)".replace("D", DIGITS),
          Pattern.CASE_INSENSITIVE);

  /** Longer texts are no number that anybody writes; this bounds the matching. */
  private static final int MAX_FLOAT_CHARS = 400;

  private Conversions() {}

  /** The integer towards zero. */
  static long truncate(double value) {
    if (Double.isNaN(value)) {
      throw Fault.value("cannot convert float NaN to integer");
    }
    if (Double.isInfinite(value)) {
      throw Fault.overflow("cannot convert float infinity to integer");
    }
    if (Math.abs(value) >= 0x1p63) {
      throw Fault.overflow("integer of more than 64 bits");
    }
    return (long) value;
  }

  /** The integer that {@code text} spells in {@code base}, or null; base 0 reads a prefix. */
  static @Nullable Long parseInteger(String text, int base) {
    String s = Text.strip(text);
    boolean negative = s.startsWith("-");
    s = negative || s.startsWith("+") ? s.substring(1) : s;
    int prefixed = s.length() > 1 && s.charAt(0) == '0' ? prefixBase(s.charAt(1)) : 0;
    int radix = base == 0 ? (prefixed == 0 ? 10 : prefixed) : base;
    if (prefixed == radix) {
      s = s.substring(2);
      s = s.startsWith("_") ? s.substring(1) : s;
    } else if (base == 0 && s.startsWith("0") && !s.matches("0(_?0)*")) {
      return null;
    }
    return digits(s, radix, negative);
  }

  private static int prefixBase(char letter) {
    return switch (letter) {
      case 'x', 'X' -> 16;
      case 'o', 'O' -> 8;
      case 'b', 'B' -> 2;
      default -> 0;
    };
  }

  private static @Nullable Long digits(String s, int radix, boolean negative) {
    long value = 0;
    boolean afterDigit = false;
    boolean overflow = false;
    for (int c : s.codePoints().toArray()) {
      int digit = Character.digit(c, radix);
      if (digit < 0 && (c != '_' || !afterDigit)) {
        return null;
      }
      afterDigit = digit >= 0;
      if (afterDigit) {
        overflow |= value < (Long.MIN_VALUE + digit) / radix;
        value = value * radix - digit; // downwards: there is one more negative number
      }
    }
    if (!afterDigit) {
      return null;
    }
    if (overflow || (!negative && value == Long.MIN_VALUE)) {
      throw Fault.overflow("integer of more than 64 bits");
    }
    return negative ? value : -value;
  }

  /** The float that {@code text} spells, or null. */
  static @Nullable Double parseFloat(String text) {
    String s = Text.strip(text);
    if (s.length() > MAX_FLOAT_CHARS || !FLOAT.matcher(s).matches()) {
      return null;
    }
    String lower = s.toLowerCase(Locale.ROOT).replace("_", "");
    if (lower.endsWith("nan")) {
      return Double.NaN;
    }
    if (lower.contains("inf")) {
      return lower.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
    return Double.valueOf(lower);
  }
}
