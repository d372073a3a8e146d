package dev.ridgeline.tokenizer.template;

import java.util.HashMap;
import java.util.Map;

/**
 * Jinja's filters: {@code value | name(arguments)}. Not here: {@code random} (a prompt must be
 * reproducible), {@code pprint}, {@code striptags}, {@code urlize} and {@code xmlattr} (for web
 * pages).
 */
final class Filters {
  interface Filter {
    Object apply(Interpreter in, Object value, Args args);
  }

  private static final Map<String, Filter> FILTERS = new HashMap<>();

  static {
    FILTERS.putAll(TextFilters.all());
    FILTERS.putAll(SequenceFilters.all());
  }

  private Filters() {}

  static boolean exists(Object name) {
    return FILTERS.containsKey(name);
  }

  /** {@code ending} completes the message for an unknown name. */
  static Object apply(Interpreter in, String name, Object value, Args args, String ending) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw Fault.runtime("No filter named %s%s", Repr.quote(name), ending);
    }
    return filter.apply(in, value, args);
  }
}
