package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The fields of a JSON object in a request. A field that is missing or null is null here; one of
 * the wrong type is a 400 that names it with its path, such as {@code messages[2].content}.
 */
record Fields(ObjectNode object, String path) {
  Fields(ObjectNode object) {
    this(object, "");
  }

  String name(String field) {
    return path.isEmpty() ? field : path + "." + field;
  }

  private @Nullable JsonNode node(String field) {
    JsonNode node = object.get(field);
    return node == null || node.isNull() ? null : node;
  }

  boolean has(String field) {
    return node(field) != null;
  }

  /** The value as it is. */
  @Nullable JsonNode any(String field) {
    return node(field);
  }

  @Nullable String string(String field) {
    JsonNode node = node(field);
    if (node != null && !node.isString()) {
      throw wrong(field, "a string", node);
    }
    return node == null ? null : node.asString();
  }

  String string(String field, String otherwise) {
    String value = string(field);
    return value == null ? otherwise : value;
  }

  String requiredString(String field) {
    String value = string(field);
    if (value == null) {
      throw missing(field, "a string");
    }
    return value;
  }

  @Nullable Boolean bool(String field) {
    JsonNode node = node(field);
    if (node != null && !node.isBoolean()) {
      throw wrong(field, "a boolean", node);
    }
    return node == null ? null : node.asBoolean();
  }

  boolean bool(String field, boolean otherwise) {
    Boolean value = bool(field);
    return value == null ? otherwise : value;
  }

  /** A whole number, also one written as 3.0. */
  @Nullable Long integer(String field) {
    JsonNode node = node(field);
    if (node == null) {
      return null;
    }
    boolean whole = node.isNumber() && node.asDouble() == Math.rint(node.asDouble());
    if (!whole || !(node.isIntegralNumber() ? node.canConvertToLong() : fits(node.asDouble()))) {
      throw wrong(field, "a whole number of at most 64 bits", node);
    }
    return node.isIntegralNumber() ? node.asLong() : Long.valueOf((long) node.asDouble());
  }

  private static boolean fits(double x) {
    return Math.abs(x) < 0x1p63;
  }

  int integer(String field, int low, int high, int otherwise) {
    Long value = integer(field);
    if (value == null) {
      return otherwise;
    }
    if (value < low || value > high) {
      throw invalid(field, "expected a whole number of %d to %d, found %d", low, high, value);
    }
    return value.intValue();
  }

  @Nullable Double number(String field) {
    JsonNode node = node(field);
    if (node != null && (!node.isNumber() || !Double.isFinite(node.asDouble()))) {
      throw wrong(field, "a number", node);
    }
    return node == null ? null : node.asDouble();
  }

  float number(String field, float otherwise) {
    Double value = number(field);
    return value == null ? otherwise : value.floatValue();
  }

  @Nullable Fields fields(String field) {
    JsonNode node = node(field);
    if (node == null) {
      return null;
    }
    if (node instanceof ObjectNode inner) {
      return new Fields(inner, name(field));
    }
    throw wrong(field, "an object", node);
  }

  Fields requiredFields(String field) {
    Fields value = fields(field);
    if (value == null) {
      throw missing(field, "an object");
    }
    return value;
  }

  /** The elements of an array; empty where it is missing. */
  List<JsonNode> array(String field) {
    JsonNode node = node(field);
    if (node == null) {
      return List.of();
    }
    if (node instanceof ArrayNode array) {
      return List.copyOf(array.values());
    }
    throw wrong(field, "an array", node);
  }

  /** The objects in an array. */
  List<Fields> objects(String field) {
    List<JsonNode> array = array(field);
    var all = new ArrayList<Fields>();
    for (int i = 0; i < array.size(); i++) {
      if (!(array.get(i) instanceof ObjectNode inner)) {
        throw wrong(field + "[" + i + "]", "an object", array.get(i));
      }
      all.add(new Fields(inner, name(field) + "[" + i + "]"));
    }
    return all;
  }

  /** A string or an array of strings. */
  List<String> strings(String field) {
    JsonNode node = node(field);
    if (node == null) {
      return List.of();
    }
    if (node.isString()) {
      return List.of(node.asString());
    }
    if (!node.isArray()) {
      throw wrong(field, "a string or an array of strings", node);
    }
    var all = new ArrayList<String>();
    for (JsonNode element : array(field)) {
      if (!element.isString()) {
        throw wrong(field + "[" + all.size() + "]", "a string", element);
      }
      all.add(element.asString());
    }
    return all;
  }

  /** An array of token ids. */
  static int[] ids(JsonNode array, String name) {
    int[] ids = new int[array.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = array.get(i);
      if (!id.isIntegralNumber() || !id.canConvertToInt()) {
        throw ApiException.invalid(
            name + "[" + i + "]",
            "%s[%d]: expected a token id, found %s".formatted(name, i, describe(id)));
      }
      ids[i] = id.asInt();
    }
    return ids;
  }

  /** Calls {@code use} with the value if there is one. */
  <T> void ifPresent(@Nullable T value, Consumer<T> use) {
    if (value != null) {
      use.accept(value);
    }
  }

  /** Everything as maps and lists, as templates and schemas want it. */
  @SuppressWarnings("unchecked")
  Map<String, Object> asMap() {
    return Json.MAPPER.treeToValue(object, java.util.LinkedHashMap.class);
  }

  ApiException missing(String field, String expected) {
    return ApiException.invalid(name(field), name(field) + ": missing; expected " + expected);
  }

  ApiException wrong(String field, String expected, JsonNode found) {
    return invalid(field, "expected %s, found %s", expected, describe(found));
  }

  ApiException invalid(String field, String message, Object... args) {
    return ApiException.invalid(name(field), name(field) + ": " + message.formatted(args));
  }

  private static String describe(JsonNode node) {
    if (node.isContainer()) {
      return Json.kind(node);
    }
    String text = node.toString();
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }
}
