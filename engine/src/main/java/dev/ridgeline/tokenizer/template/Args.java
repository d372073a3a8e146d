package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.None;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The evaluated arguments of a call. */
record Args(List<Object> positional, Map<String, Object> named) {
  static final Args NONE = new Args(List.of(), Map.of());

  int count() {
    return positional.size();
  }

  /** These arguments without the first {@code n} positional ones. */
  Args skip(int n) {
    return new Args(positional.subList(n, positional.size()), named);
  }

  /** The arguments of {@code type.name}, which takes them by position only. */
  Bound positionalOnly(String function, int required, int allowed) {
    if (!named.isEmpty()) {
      throw Fault.type("%s() takes no keyword arguments", function);
    }
    if (count() >= required && count() <= allowed) {
      return new Bound(shortName(function), positional.toArray(new Object[allowed]));
    }
    if (required == allowed && allowed < 2) {
      throw Fault.type(
          "%s() takes %s (%d given)",
          function, allowed == 0 ? "no arguments" : "exactly one argument", count());
    }
    int bound = count() < required ? required : allowed;
    throw Fault.type(
        "%s expected %s %d argument%s, got %d",
        shortName(function),
        count() < required ? "at least" : "at most",
        bound,
        bound == 1 ? "" : "s",
        count());
  }

  private static String shortName(String function) {
    return function.substring(function.indexOf('.') + 1);
  }

  /** The arguments of a function whose parameters have these names, the first few required. */
  Bound bind(String function, int required, String... names) {
    if (count() > names.length) {
      throw Fault.type(
          "%s() takes at most %d arguments (%d given)", function, names.length, count());
    }
    Object[] values = positional.toArray(new Object[names.length]);
    Map<String, Object> rest = new LinkedHashMap<>(named);
    for (int i = 0; i < names.length; i++) {
      Object value = rest.remove(names[i]);
      if (value != null && values[i] != null) {
        throw Fault.type("%s() got multiple values for argument '%s'", function, names[i]);
      }
      values[i] = value == null ? values[i] : value;
      if (i < required && values[i] == null) {
        throw Fault.type("%s() missing required argument '%s'", function, names[i]);
      }
    }
    if (!rest.isEmpty()) {
      throw Fault.type(
          "%s() got an unexpected keyword argument '%s'",
          function, rest.keySet().iterator().next());
    }
    return new Bound(function, values);
  }

  /** Arguments in the order of the parameters; those not given are null inside. */
  record Bound(String function, @Nullable Object[] values) {
    boolean has(int i) {
      return values[i] != null && values[i] != None.NONE;
    }

    Object get(int i) {
      return get(i, None.NONE);
    }

    Object get(int i, Object otherwise) {
      Object value = values[i];
      return value == null ? otherwise : value;
    }

    boolean truth(int i, boolean otherwise) {
      Object value = values[i];
      return value == null ? otherwise : Ops.truth(value);
    }

    long integer(int i) {
      Object value = get(i);
      Long number = Values.integer(value);
      if (number == null) {
        throw Fault.type("'%s' object cannot be interpreted as an integer", Values.typeName(value));
      }
      return number;
    }

    long integer(int i, long otherwise) {
      return values[i] == null ? otherwise : integer(i);
    }

    String text(int i) {
      Object value = get(i);
      String text = Values.text(value);
      if (text == null) {
        throw Fault.type(
            "%s() argument %d must be str, not %s", function, i + 1, Values.typeName(value));
      }
      return text;
    }
  }

  static Args of(Object... positional) {
    return new Args(new ArrayList<>(List.of(positional)), Map.of());
  }
}
