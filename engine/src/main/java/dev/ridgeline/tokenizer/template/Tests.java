package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Joiner;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Range;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Jinja's tests: {@code value is name(arguments)}. */
final class Tests {
  private interface Test {
    boolean holds(Interpreter in, Object value, Args args);
  }

  private static final Map<String, Test> TESTS = new HashMap<>();

  static {
    plain("defined", value -> !(value instanceof Undefined));
    plain("undefined", value -> value instanceof Undefined);
    plain("none", value -> value == None.NONE);
    plain("boolean", value -> value instanceof Boolean);
    plain("true", value -> value.equals(true));
    plain("false", value -> value.equals(false));
    plain("integer", value -> value instanceof Long);
    plain("float", value -> value instanceof Double);
    plain("number", value -> value instanceof Double || Values.integer(value) != null);
    plain("string", value -> Values.text(value) != null);
    plain("mapping", value -> value instanceof Dict);
    plain("sequence", Tests::isSequence);
    plain("iterable", value -> Ops.isIterable(value) || value instanceof LoopContext);
    plain("callable", Tests::isCallable);
    plain("escaped", value -> value instanceof Markup);
    TESTS.put("lower", (in, value, args) -> StringMethods.isLower(in.ops.str(value)));
    TESTS.put("upper", (in, value, args) -> StringMethods.isUpper(in.ops.str(value)));
    TESTS.put("odd", (in, value, args) -> in.ops.equal(remainder(in, value, 2L), 1L));
    TESTS.put("even", (in, value, args) -> in.ops.equal(remainder(in, value, 2L), 0L));
    TESTS.put(
        "divisibleby",
        (in, value, args) -> {
          Object divisor = args.bind("divisibleby", 1, "num").get(0);
          return in.ops.equal(remainder(in, value, divisor), 0L);
        });
    TESTS.put("sameas", (in, value, args) -> isSame(value, args.bind("sameas", 1, "other").get(0)));
    TESTS.put("in", (in, value, args) -> in.ops.contains(args.bind("in", 1, "seq").get(0), value));
    TESTS.put("filter", (in, value, args) -> Filters.exists(Dict.hashed(value)));
    TESTS.put("test", (in, value, args) -> exists(Dict.hashed(value)));
    compare((ops, a, b) -> ops.equal(a, b), "==", "eq", "equalto");
    compare((ops, a, b) -> !ops.equal(a, b), "!=", "ne");
    compare((ops, a, b) -> ops.ordered(">", a, b), ">", "gt", "greaterthan");
    compare((ops, a, b) -> ops.ordered(">=", a, b), ">=", "ge");
    compare((ops, a, b) -> ops.ordered("<", a, b), "<", "lt", "lessthan");
    compare((ops, a, b) -> ops.ordered("<=", a, b), "<=", "le");
  }

  private interface Comparison {
    boolean holds(Ops ops, Object a, Object b);
  }

  private Tests() {}

  static boolean exists(Object name) {
    return TESTS.containsKey(name);
  }

  /** {@code ending} completes the message for an unknown name. */
  static boolean apply(Interpreter in, String name, Object value, Args args, String ending) {
    Test test = TESTS.get(name);
    if (test == null) {
      throw Fault.runtime("No test named %s%s", Repr.quote(name), ending);
    }
    return test.holds(in, value, args);
  }

  private static void plain(String name, Predicate<Object> predicate) {
    TESTS.put(
        name,
        (in, value, args) -> {
          args.bind("test_" + name, 0);
          return predicate.test(value);
        });
  }

  private static void compare(Comparison comparison, String... names) {
    for (String name : names) {
      TESTS.put(
          name,
          (in, value, args) ->
              comparison.holds(in.ops, value, args.positionalOnly(name, 1, 1).get(0)));
    }
  }

  private static Object remainder(Interpreter in, Object value, Object divisor) {
    return in.arithmetic.binary("%", value, divisor);
  }

  private static boolean isSequence(Object value) {
    return Values.text(value) != null
        || Values.elements(value) != null
        || value instanceof Dict
        || value instanceof Range
        || value instanceof Undefined;
  }

  private static boolean isCallable(Object value) {
    return value instanceof Function
        || value instanceof Macro
        || value instanceof LoopContext
        || value instanceof Joiner
        || value instanceof Undefined;
  }

  /** Identity; for numbers and text, which Python shares at its whim, equality of the same type. */
  private static boolean isSame(Object a, Object b) {
    boolean shared = a instanceof Long || a instanceof Boolean || a instanceof String;
    return shared ? a.equals(b) : a == b;
  }
}
