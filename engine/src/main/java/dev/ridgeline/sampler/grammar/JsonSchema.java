package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * JSON schemas as grammars. Enforced: {@code type} (one or several), {@code properties}, {@code
 * required}, {@code additionalProperties}, {@code items}, {@code prefixItems}, {@code minItems},
 * {@code maxItems}, {@code enum}, {@code const}, {@code anyOf}, {@code oneOf} (as anyOf), {@code
 * allOf} of objects, {@code $ref} into the schema, {@code minLength}, {@code maxLength}, {@code
 * pattern}, {@code format} (date, time, date-time, uuid), {@code minimum} and {@code maximum} of
 * integers. What would have to be enforced and cannot is refused; annotations do not count.
 *
 * <p>Properties come in the order of the schema; where the schema lists properties and does not
 * speak of additional ones, there are none.
 */
public final class JsonSchema {
  private static final int MAX_DEPTH = 64;
  private static final int MAX_NODES = 20_000;
  private static final Set<String> CANNOT =
      Set.of(
          "not",
          "multipleOf",
          "patternProperties",
          "propertyNames",
          "minProperties",
          "maxProperties",
          "uniqueItems",
          "contains",
          "if",
          "dependentRequired",
          "dependentSchemas",
          "unevaluatedProperties",
          "unevaluatedItems",
          "$dynamicRef");

  private static final String COMMON =
      """
      ws ::= | " " | "\\n" [ \\t]{0,20}
      char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})
      string ::= "\\"" char* "\\""
      digits ::= "0" | [1-9] [0-9]{0,15}
      integer ::= "-"? digits
      number ::= "-"? digits ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
      boolean ::= "true" | "false"
      null ::= "null"
      value ::= object | array | string | number | boolean | null
      pair ::= string ws ":" ws value
      object ::= "{" ws (pair ws ("," ws pair ws)*)? "}"
      array ::= "[" ws (value ws ("," ws value ws)*)? "]"
      """;

  private final Map<String, ?> root;
  private final Map<String, String> rules = new LinkedHashMap<>();
  private final Map<String, String> references = new LinkedHashMap<>();
  private int nodes;

  private JsonSchema(Map<String, ?> root) {
    this.root = root;
  }

  /**
   * The grammar of the JSON texts that {@code schema} allows, in llama.cpp's notation.
   *
   * @param schema nested maps and lists; empty: any object
   * @throws GrammarException if it uses what cannot be enforced, or is too large
   */
  public static String toGbnf(Map<String, ?> schema) {
    var converter = new JsonSchema(schema);
    String body = schema.isEmpty() ? "object" : converter.visit(schema, "schema", 0);
    return converter.text(body);
  }

  private String text(String body) {
    var text = new StringBuilder("root ::= ").append(body).append('\n').append(COMMON);
    rules.forEach((name, rule) -> text.append(name).append(" ::= ").append(rule).append('\n'));
    return text.toString();
  }

  private String define(String rule) {
    String name = "r" + rules.size();
    rules.put(name, rule);
    return name;
  }

  /** An expression for {@code schema}, which stands at {@code path}. */
  private String visit(Object schema, String path, int depth) {
    if (depth > MAX_DEPTH || ++nodes > MAX_NODES) {
      throw error(path, "is nested too deeply or too large");
    }
    if (schema instanceof Boolean allowed) {
      if (allowed) {
        return "value";
      }
      throw error(path, "allows nothing");
    }
    Map<String, Object> map = object(schema, path);
    for (String keyword : CANNOT) {
      if (map.containsKey(keyword)) {
        throw error(path, "uses '" + keyword + "', which cannot be enforced");
      }
    }
    if (map.get("$ref") instanceof String ref) {
      return reference(ref, path, depth);
    }
    if (map.containsKey("const")) {
      return literal(map.get("const"));
    }
    if (map.get("enum") instanceof List<?> values) {
      return alternatives(values.stream().map(JsonSchema::literal).toList(), path);
    }
    for (String any : List.of("anyOf", "oneOf")) {
      if (map.get(any) instanceof List<?> options) {
        var all = new ArrayList<String>();
        for (int i = 0; i < options.size(); i++) {
          all.add(visit(options.get(i), path + "." + any + "[" + i + "]", depth + 1));
        }
        return alternatives(all, path);
      }
    }
    if (map.get("allOf") instanceof List<?> parts) {
      return visit(merge(map, parts, path), path, depth + 1);
    }
    return typed(map, path, depth);
  }

  private String typed(Map<String, Object> map, String path, int depth) {
    Object type = map.get("type");
    if (type instanceof List<?> types) {
      var all = new ArrayList<String>();
      for (Object one : types) {
        var copy = new LinkedHashMap<>(map);
        copy.put("type", one);
        all.add(typed(copy, path, depth));
      }
      return alternatives(all, path);
    }
    if (type == null) {
      type = guess(map);
    }
    return switch (String.valueOf(type)) {
      case "object" -> objects(map, path, depth);
      case "array" -> arrays(map, path, depth);
      case "string" -> strings(map, path);
      case "integer" -> integers(map, path);
      case "number" -> numbers(map, path);
      case "boolean" -> "boolean";
      case "null" -> "null";
      case "any" -> "value";
      default -> throw error(path, "has the unknown type '" + type + "'");
    };
  }

  private static String guess(Map<String, Object> map) {
    if (map.containsKey("properties") || map.containsKey("additionalProperties")) {
      return "object";
    } else if (map.containsKey("items") || map.containsKey("prefixItems")) {
      return "array";
    } else if (map.containsKey("pattern") || map.containsKey("maxLength")) {
      return "string";
    }
    return "any";
  }

  private String reference(String ref, String path, int depth) {
    String known = references.get(ref);
    if (known != null) {
      return known;
    }
    if (!ref.startsWith("#")) {
      throw error(path, "refers to '" + ref + "'; expected a reference into the schema itself");
    }
    Object target = root;
    for (String step : ref.substring(1).split("/", -1)) {
      if (!step.isEmpty()) {
        String key = step.replace("~1", "/").replace("~0", "~");
        target = target instanceof Map<?, ?> map ? map.get(key) : null;
      }
    }
    if (target == null) {
      throw error(path, "refers to '" + ref + "', which is not there");
    }
    String name = "ref" + references.size();
    references.put(ref, name);
    rules.put(name, "null"); // its place: it may refer to itself
    rules.put(name, visit(target, ref, depth + 1));
    return name;
  }

  private static Map<String, Object> merge(Map<String, Object> map, List<?> parts, String path) {
    var merged = new LinkedHashMap<>(map);
    var properties = new LinkedHashMap<String, Object>();
    var required = new LinkedHashSet<Object>();
    for (int i = -1; i < parts.size(); i++) {
      Map<String, Object> part = i < 0 ? map : object(parts.get(i), path + ".allOf[" + i + "]");
      if (part.containsKey("$ref") || part.containsKey("anyOf") || part.containsKey("oneOf")) {
        if (parts.size() == 1 && map.size() <= 2) {
          return part;
        }
        throw error(
            path, "combines references or alternatives in 'allOf', which cannot be enforced");
      }
      if (part.get("properties") instanceof Map<?, ?> p) {
        p.forEach((k, v) -> properties.put(String.valueOf(k), v));
      }
      if (part.get("required") instanceof List<?> r) {
        required.addAll(r);
      }
      part.forEach(merged::putIfAbsent);
    }
    merged.remove("allOf");
    if (!properties.isEmpty()) {
      merged.put("properties", properties);
      merged.put("required", List.copyOf(required));
    }
    return merged;
  }

  private record Property(String pair, boolean required) {}

  private String objects(Map<String, Object> map, String path, int depth) {
    Map<String, Object> properties =
        map.containsKey("properties")
            ? object(map.get("properties"), path + ".properties")
            : Map.of();
    Object more = map.get("additionalProperties");
    if (properties.isEmpty() && (more == null || more instanceof Boolean b && b)) {
      return "object";
    }
    List<?> required = map.get("required") instanceof List<?> list ? list : List.of();
    for (Object name : required) {
      if (!properties.containsKey(name)) {
        throw error(path, "requires '" + name + "', which is not among its properties");
      }
    }
    var all = new ArrayList<Property>();
    properties.forEach(
        (name, schema) -> {
          String value = visit(schema, path + "." + name, depth + 1);
          all.add(
              new Property(
                  define(literal(name) + " ws \":\" ws " + value + " ws"),
                  required.contains(name)));
        });
    @Nullable String extra = null;
    if (more instanceof Map || more instanceof Boolean b && b) {
      String value = visit(more, path + ".additionalProperties", depth + 1);
      extra = define("string ws \":\" ws " + value + " ws");
    }
    return define("\"{\" ws " + rest(all, extra) + " \"}\"");
  }

  /** A rule for the properties from each on, with and without one before it. */
  private String rest(List<Property> properties, @Nullable String extra) {
    String first = extra == null ? NOTHING : "(" + extra + " (\",\" ws " + extra + ")*)?";
    String later = extra == null ? NOTHING : "(\",\" ws " + extra + ")*";
    for (int i = properties.size() - 1; i >= 0; i--) {
      Property p = properties.get(i);
      String firstHere = p.pair + " " + later;
      String laterHere = "\",\" ws " + p.pair + " " + later;
      first = define(p.required ? firstHere : firstHere + " | " + first);
      later = define(p.required ? laterHere : laterHere + " | " + later);
    }
    return first;
  }

  private String arrays(Map<String, Object> map, String path, int depth) {
    int least = count(map, "minItems", 0, path);
    int most = count(map, "maxItems", -1, path);
    if (map.get("prefixItems") instanceof List<?> items) {
      var sequence = new StringJoiner(" ws \",\" ws ", "\"[\" ws ", " ws \"]\"");
      for (int i = 0; i < items.size(); i++) {
        sequence.add(visit(items.get(i), path + ".prefixItems[" + i + "]", depth + 1));
      }
      return define(sequence.toString());
    }
    Object items = map.get("items");
    String item =
        define((items == null ? "value" : visit(items, path + ".items", depth + 1)) + " ws");
    if (most == 0) {
      return "\"[\" ws \"]\"";
    }
    String others =
        "(\",\" ws %s){%d,%s}"
            .formatted(item, Math.max(0, least - 1), most < 0 ? "" : String.valueOf(most - 1));
    String some = item + " " + others;
    return define("\"[\" ws " + (least == 0 ? "(" + some + ")?" : some) + " \"]\"");
  }

  private String strings(Map<String, Object> map, String path) {
    if (map.get("pattern") instanceof String pattern) {
      if (map.containsKey("minLength") || map.containsKey("maxLength")) {
        throw error(path, "has a pattern and a length, which cannot be enforced together");
      }
      return define("\"\\\"\" " + new Pattern(pattern, path).toGbnf() + " \"\\\"\"");
    }
    if (map.get("format") instanceof String format) {
      String known =
          switch (format) {
            case "date" -> DATE;
            case "time" -> TIME;
            case "date-time" -> DATE + " \"T\" " + TIME;
            case "uuid" ->
                "[0-9a-fA-F]{8} \"-\" [0-9a-fA-F]{4} \"-\" [0-9a-fA-F]{4} \"-\" [0-9a-fA-F]{4}"
                    + " \"-\" [0-9a-fA-F]{12}";
            default -> ""; // an annotation
          };
      if (!known.isEmpty()) {
        return define("\"\\\"\" " + known + " \"\\\"\"");
      }
    }
    int least = count(map, "minLength", 0, path);
    int most = count(map, "maxLength", -1, path);
    return least == 0 && most < 0
        ? "string"
        : define(
            "\"\\\"\" char{%d,%s} \"\\\"\"".formatted(least, most < 0 ? "" : String.valueOf(most)));
  }

  private static final String NOTHING = "\"\"";
  private static final String DATE =
      "[0-9]{4} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" (\"0\" [1-9] | [12] [0-9] | \"3\" [01])";
  private static final String TIME =
      "([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9] \":\" [0-5] [0-9] (\".\" [0-9]{1,9})?"
          + " (\"Z\" | [+-] ([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9])";

  private String integers(Map<String, Object> map, String path) {
    Long low = bound(map, "minimum", "exclusiveMinimum", 1, path);
    Long high = bound(map, "maximum", "exclusiveMaximum", -1, path);
    if (low == null && high == null) {
      return "integer";
    }
    long most = 9_999_999_999_999_999L;
    return alternatives(
        IntegerRange.gbnf(low == null ? -most : low, high == null ? most : high), path);
  }

  private static @Nullable Long bound(
      Map<String, Object> map, String inclusive, String exclusive, int inward, String path) {
    Object in = map.get(inclusive);
    Object out = map.get(exclusive);
    if (out instanceof Boolean) {
      throw error(path, "has a boolean '" + exclusive + "'; expected a number");
    }
    if (in instanceof Number n) {
      double x = n.doubleValue();
      return (long) (inward > 0 ? Math.ceil(x) : Math.floor(x));
    }
    if (out instanceof Number n) {
      double x = n.doubleValue();
      return (long) (inward > 0 ? Math.floor(x) + 1 : Math.ceil(x) - 1);
    }
    return null;
  }

  private static String numbers(Map<String, Object> map, String path) {
    boolean bounded =
        map.containsKey("maximum")
            || map.containsKey("exclusiveMinimum")
            || map.containsKey("exclusiveMaximum");
    Object least = map.get("minimum");
    if (bounded || least instanceof Number n && n.doubleValue() != 0) {
      throw error(path, "has bounds for a number with a fraction, which cannot be enforced");
    }
    return least == null ? "number" : "digits (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?";
  }

  private static int count(Map<String, Object> map, String key, int otherwise, String path) {
    Object value = map.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Number n && n.doubleValue() >= 0 && n.doubleValue() <= 10_000) {
      return n.intValue();
    }
    throw error(path, "has '%s': %s; expected 0 to 10000".formatted(key, value));
  }

  private static String alternatives(List<String> all, String path) {
    if (all.isEmpty()) {
      throw error(path, "allows nothing");
    }
    return "(" + String.join(" | ", all) + ")";
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(@Nullable Object value, String path) {
    if (value instanceof Map<?, ?> map) {
      return (Map<String, Object>) map;
    }
    throw error(path, "expected an object, found " + value);
  }

  private static GrammarException error(String path, String what) {
    return new GrammarException("the schema at '" + path + "' " + what);
  }

  /** A JSON value exactly as written without spaces, as a literal of the grammar. */
  static String literal(@Nullable Object value) {
    return quote(json(value));
  }

  /** {@code text} as a literal of a grammar. */
  public static String quote(String text) {
    var quoted = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').appendCodePoint(c);
              } else if (c < 0x20 || c > 0x7E) {
                quoted.append("\\U%08X".formatted(c));
              } else {
                quoted.appendCodePoint(c);
              }
            });
    return quoted.append('"').toString();
  }

  private static String json(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case String s -> jsonString(s);
      case Map<?, ?> map -> {
        var all = new StringJoiner(",", "{", "}");
        map.forEach((k, v) -> all.add(jsonString(String.valueOf(k)) + ":" + json(v)));
        yield all.toString();
      }
      case List<?> list -> {
        var all = new StringJoiner(",", "[", "]");
        list.forEach(v -> all.add(json(v)));
        yield all.toString();
      }
      default -> String.valueOf(value);
    };
  }

  private static String jsonString(String text) {
    var json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> json.append('\\').append(c);
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        default -> json.append(c < 0x20 ? "\\u%04x".formatted((int) c) : String.valueOf(c));
      }
    }
    return json.append('"').toString();
  }
}
