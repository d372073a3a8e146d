package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Python's arithmetic. Integers have 64 bits; where Python's would grow beyond, an error says so.
 */
final class Arithmetic {
  private final Ops ops;

  Arithmetic(Ops ops) {
    this.ops = ops;
  }

  Object binary(String operator, Object a, Object b) {
    Long x = Values.integer(a);
    Long y = Values.integer(b);
    if (x != null && y != null) {
      try {
        return integers(operator, x, y);
      } catch (ArithmeticException overflow) {
        throw Fault.overflow("the result of %d %s %d has more than 64 bits", x, operator, y);
      }
    }
    Double p = number(a, x);
    Double q = number(b, y);
    if (p != null && q != null) {
      return floats(operator, p, q);
    }
    String format = operator.equals("%") ? Values.text(a) : null;
    if (format != null) {
      String text = new PercentFormat(ops, format, b, a instanceof Markup).format();
      return a instanceof Markup ? new Markup(text) : text;
    }
    Ops.failIfUndefined(a);
    Ops.failIfUndefined(b);
    Object result =
        switch (operator) {
          case "+" -> add(a, b);
          case "*" -> multiply(a, b);
          default -> null;
        };
    if (result == null) {
      throw Fault.type(
          "unsupported operand type(s) for %s: '%s' and '%s'",
          operator.equals("**") ? "** or pow()" : operator, Values.typeName(a), Values.typeName(b));
    }
    return result;
  }

  private static @Nullable Double number(Object value, @Nullable Long integer) {
    return integer != null ? Double.valueOf(integer) : value instanceof Double d ? d : null;
  }

  private static Object integers(String operator, long x, long y) {
    return switch (operator) {
      case "+" -> Math.addExact(x, y);
      case "-" -> Math.subtractExact(x, y);
      case "*" -> Math.multiplyExact(x, y);
      case "/" -> (double) x / nonZero(y, "division by zero");
      case "//" -> floorDiv(x, nonZero(y, "integer division or modulo by zero"));
      case "%" -> Math.floorMod(x, nonZero(y, "integer modulo by zero"));
      default -> {
        if (y < 0) {
          yield floats(operator, (double) x, (double) y);
        }
        yield power(x, y);
      }
    };
  }

  private static long nonZero(long divisor, String message) {
    if (divisor == 0) {
      throw new Fault("ZeroDivisionError", message);
    }
    return divisor;
  }

  private static double nonZero(double divisor, String message) {
    if (divisor == 0) {
      throw new Fault("ZeroDivisionError", message);
    }
    return divisor;
  }

  private static long floorDiv(long x, long y) {
    return y == -1 ? Math.negateExact(x) : Math.floorDiv(x, y);
  }

  private static long power(long base, long exponent) {
    long result = 1;
    long square = base;
    for (long e = exponent; e > 0; e >>= 1) {
      if ((e & 1) == 1) {
        result = Math.multiplyExact(result, square);
      }
      if (e > 1) {
        square = Math.multiplyExact(square, square);
      }
    }
    return result;
  }

  private static double floats(String operator, double x, double y) {
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> x / nonZero(y, "float division by zero");
      case "//" -> floorDiv(x, nonZero(y, "float floor division by zero"));
      case "%" -> modulo(x, nonZero(y, "float modulo"));
      default -> power(x, y);
    };
  }

  /** The remainder with the sign of the divisor. */
  private static double modulo(double x, double y) {
    double remainder = x % y;
    if (remainder == 0) {
      return Math.copySign(0, y);
    }
    return (remainder < 0) == (y < 0) ? remainder : remainder + y;
  }

  private static double floorDiv(double x, double y) {
    double quotient = (x - modulo(x, y)) / y;
    double floor = Math.floor(quotient);
    return quotient == 0 ? Math.copySign(0, x / y) : quotient - floor > 0.5 ? floor + 1 : floor;
  }

  private static double power(double x, double y) {
    if (x == 0 && y < 0) {
      throw new Fault("ZeroDivisionError", "0.0 cannot be raised to a negative power");
    }
    double result = x == 1 || y == 0 ? 1 : Math.pow(x, y);
    if (Double.isNaN(result) && !Double.isNaN(x) && !Double.isNaN(y)) {
      if (x == -1) {
        return 1; // (-1) ** inf
      }
      throw Fault.unsupported("complex numbers: %s ** %s", Repr.number(x), Repr.number(y));
    }
    if (Double.isInfinite(result) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
      throw Fault.overflow("(34, 'Numerical result out of range')");
    }
    return result;
  }

  private @Nullable Object add(Object a, Object b) {
    String x = Values.text(a);
    String y = Values.text(b);
    if (x != null && y != null) {
      return addText(a, x, b, y);
    }
    if (x != null) {
      if (a instanceof Markup) {
        return null;
      }
      throw Fault.type("can only concatenate str (not \"%s\") to str", Values.typeName(b));
    }
    List<Object> left = Values.elements(a);
    if (left == null) {
      return null;
    }
    if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
      return concatenate(a, left, b);
    }
    String type = a instanceof Tuple ? "tuple" : "list";
    throw Fault.type("can only concatenate %s (not \"%s\") to %s", type, Values.typeName(b), type);
  }

  private Object addText(Object a, String x, Object b, String y) {
    boolean markup = a instanceof Markup || b instanceof Markup;
    String left = markup && !(a instanceof Markup) ? Markup.escape(x) : x;
    String right = markup && !(b instanceof Markup) ? Markup.escape(y) : y;
    ops.budget.build((long) left.length() + right.length());
    String sum = left.concat(right);
    return markup ? new Markup(sum) : sum;
  }

  private Object concatenate(Object a, List<Object> left, Object b) {
    List<Object> right = Values.elements(b);
    int extra = right == null ? 0 : right.size();
    ops.budget.spend((long) left.size() + extra);
    List<Object> sum = new ArrayList<>(left.size() + extra);
    sum.addAll(left);
    sum.addAll(right == null ? List.of() : right);
    return a instanceof Tuple ? new Tuple(sum) : sum;
  }

  private @Nullable Object multiply(Object a, Object b) {
    boolean sequenceFirst = isSequence(a);
    if (!sequenceFirst && !isSequence(b)) {
      return null;
    }
    Object sequence = sequenceFirst ? a : b;
    Object times = sequenceFirst ? b : a;
    Long count = Values.integer(times);
    if (count == null) {
      throw Fault.type("can't multiply sequence by non-int of type '%s'", Values.typeName(times));
    }
    return repeat(sequence, Math.max(0, count));
  }

  private static boolean isSequence(Object value) {
    return Values.text(value) != null || Values.elements(value) != null;
  }

  private Object repeat(Object sequence, long count) {
    String text = Values.text(sequence);
    if (text != null) {
      ops.budget.build(text.isEmpty() ? 0 : saturated(text.length(), count));
      String repeated = text.isEmpty() ? "" : text.repeat((int) count);
      return sequence instanceof Markup ? new Markup(repeated) : repeated;
    }
    List<Object> elements = Values.elements(sequence);
    List<Object> repeated = new ArrayList<>();
    if (elements != null && !elements.isEmpty()) {
      ops.budget.spend(saturated(elements.size(), count));
      for (long i = 0; i < count; i++) {
        repeated.addAll(elements);
      }
    }
    return sequence instanceof Tuple ? new Tuple(repeated) : repeated;
  }

  private static long saturated(long size, long count) {
    return count > Long.MAX_VALUE / 2 / size ? Long.MAX_VALUE / 2 : size * count;
  }

  Object negate(Object value) {
    Long integer = Values.integer(value);
    if (integer != null) {
      if (integer == Long.MIN_VALUE) {
        throw Fault.overflow("the negative of %d has more than 64 bits", integer);
      }
      return -integer;
    }
    if (value instanceof Double d) {
      return -d;
    }
    throw badOperand("-", value);
  }

  Object plus(Object value) {
    Long integer = Values.integer(value);
    if (integer != null) {
      return integer;
    }
    if (value instanceof Double) {
      return value;
    }
    throw badOperand("+", value);
  }

  private static Fault badOperand(String operator, Object value) {
    Ops.failIfUndefined(value);
    return Fault.type("bad operand type for unary %s: '%s'", operator, Values.typeName(value));
  }
}
