package dev.ridgeline.tokenizer.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** C's {@code %e}, {@code %f} and {@code %g} of a double's magnitude, rounded half to even. */
final class FloatText {
  /** Every double has its last digit before that. */
  private static final int MAX_SCALE = 1100;

  private FloatText() {}

  /**
   * The digits without a sign.
   *
   * @param type one of {@code e E f F g G}
   * @param precision digits after the point; for {@code g}, significant digits
   * @param alternate keep the point, and for {@code g} the trailing zeros
   */
  static String of(double value, char type, int precision, boolean alternate) {
    double magnitude = Math.abs(value);
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      String name = Double.isNaN(value) ? "nan" : "inf";
      return Character.isUpperCase(type) ? name.toUpperCase(Locale.ROOT) : name;
    }
    String text =
        switch (Character.toLowerCase(type)) {
          case 'f' -> fixed(magnitude, precision, alternate);
          case 'e' -> exponent(magnitude, precision, alternate);
          default -> general(magnitude, Math.max(1, precision), alternate);
        };
    return Character.isUpperCase(type) ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String fixed(double magnitude, int precision, boolean alternate) {
    int scale = Math.min(precision, MAX_SCALE);
    String digits =
        new BigDecimal(magnitude).setScale(scale, RoundingMode.HALF_EVEN).toPlainString();
    return (precision == 0 && alternate ? digits + "." : digits) + "0".repeat(precision - scale);
  }

  private static String exponent(double magnitude, int precision, boolean alternate) {
    BigDecimal rounded = rounded(magnitude, precision + 1);
    String digits = digits(rounded, precision + 1);
    return mantissa(digits, alternate) + exponentSuffix(exponentOf(rounded));
  }

  private static String general(double magnitude, int precision, boolean alternate) {
    BigDecimal rounded = rounded(magnitude, precision);
    int exponent = exponentOf(rounded);
    if (exponent >= -4 && exponent < precision) {
      String fixed = fixed(magnitude, precision - 1 - exponent, alternate);
      return alternate ? fixed : stripZeros(fixed);
    }
    String mantissa = mantissa(digits(rounded, precision), alternate);
    return (alternate ? mantissa : stripZeros(mantissa)) + exponentSuffix(exponent);
  }

  private static BigDecimal rounded(double magnitude, int digits) {
    return new BigDecimal(magnitude).round(new MathContext(digits, RoundingMode.HALF_EVEN));
  }

  private static int exponentOf(BigDecimal value) {
    return value.signum() == 0 ? 0 : value.precision() - value.scale() - 1;
  }

  private static String digits(BigDecimal value, int count) {
    String digits = value.signum() == 0 ? "" : value.unscaledValue().toString();
    return digits.length() < count
        ? digits + "0".repeat(count - digits.length())
        : digits.substring(0, count);
  }

  private static String mantissa(String digits, boolean alternate) {
    String point = digits.length() > 1 || alternate ? "." : "";
    return digits.charAt(0) + point + digits.substring(1);
  }

  private static String exponentSuffix(int exponent) {
    return "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String stripZeros(String text) {
    if (text.indexOf('.') < 0) {
      return text;
    }
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
  }
}
