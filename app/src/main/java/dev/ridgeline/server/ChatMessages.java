package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Messages as OpenAI's chat API has them, in the form that chat templates want. */
final class ChatMessages {
  private ChatMessages() {}

  /** The messages under {@code messages}; there must be one. */
  static List<Map<String, Object>> read(Fields body) {
    List<Fields> messages = body.objects("messages");
    if (messages.isEmpty()) {
      throw body.missing("messages", "an array of at least one message");
    }
    return messages.stream().map(ChatMessages::message).toList();
  }

  private static Map<String, Object> message(Fields message) {
    var map = new LinkedHashMap<String, Object>();
    String role = message.requiredString("role");
    switch (role) {
      case "system", "user", "assistant", "tool" -> map.put("role", role);
      case "developer" -> map.put("role", "system");
      case "function" -> map.put("role", "tool");
      default ->
          throw message.invalid(
              "role", "expected system, developer, user, assistant or tool, found '%s'", role);
    }
    String content = content(message, "content");
    if (content == null && !role.equals("assistant")) {
      throw message.missing("content", "a string or an array of parts");
    }
    map.put("content", content == null ? "" : content);
    copy(message, map, "name");
    copy(message, map, "tool_call_id");
    copy(message, map, "reasoning_content");
    List<Fields> calls = message.objects("tool_calls");
    if (!calls.isEmpty()) {
      map.put("tool_calls", calls.stream().map(ChatMessages::call).toList());
    }
    return map;
  }

  private static void copy(Fields from, Map<String, Object> to, String field) {
    String value = from.string(field);
    if (value != null) {
      to.put(field, value);
    }
  }

  /** A string, or the text of an array of parts; null where it is missing. */
  static @Nullable String content(Fields message, String field) {
    JsonNode content = message.any(field);
    if (content == null || content.isString()) {
      return message.string(field);
    }
    if (!content.isArray()) {
      throw message.wrong(field, "a string or an array of parts", content);
    }
    var text = new StringJoiner("\n");
    for (Fields part : message.objects(field)) {
      String type = part.string("type", "text");
      switch (type) {
        case "text", "input_text", "output_text", "refusal" ->
            text.add(part.requiredString(type.equals("refusal") ? "refusal" : "text"));
        default -> throw part.invalid("type", "expected text, found '%s'", type);
      }
    }
    return text.toString();
  }

  /** A call of an earlier turn; its arguments become the map that templates write out. */
  private static Map<String, Object> call(Fields call) {
    Fields function = call.requiredFields("function");
    String arguments = function.string("arguments", "{}");
    return Map.of(
        "id",
        call.string("id", ""),
        "type",
        "function",
        "function",
        Map.of(
            "name",
            function.requiredString("name"),
            "arguments",
            arguments(function.name("arguments"), arguments)));
  }

  /** JSON text as a map. */
  static Map<String, Object> arguments(String name, String json) {
    try {
      JsonNode node = Json.MAPPER.readTree(json.isBlank() ? "{}" : json);
      if (node instanceof tools.jackson.databind.node.ObjectNode object) {
        return new Fields(object, name).asMap();
      }
    } catch (JacksonException e) {
      // told below
    }
    throw ApiException.invalid(name, name + ": expected a JSON object as text, found " + json);
  }

  /** The tools under {@code tools}, as templates want them; empty where there are none. */
  static List<Map<String, Object>> tools(Fields body) {
    var tools = new ArrayList<Map<String, Object>>();
    for (Fields tool : body.objects("tools")) {
      String type = tool.string("type", "function");
      if (!type.equals("function")) {
        throw tool.invalid("type", "expected function, found '%s'", type);
      }
      Fields function = tool.requiredFields("function");
      String name = function.requiredString("name");
      if (!name.matches("[A-Za-z0-9_.-]{1,128}")) {
        throw function.invalid(
            "name", "expected 1 to 128 letters, digits, _, . or -, found '%s'", name);
      }
      function.fields("parameters");
      tools.add(tool.asMap());
    }
    return tools;
  }
}
