package dev.ridgeline.server;

import dev.ridgeline.sampler.grammar.JsonSchema;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.template.TemplateException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a model writes the calls of tools: what stands before the name, between name and arguments,
 * after the arguments, and between two calls. Found out from the model's own template, which is
 * given a conversation with calls and must have written them somewhere.
 *
 * @param begin before the first call's name
 * @param middle between the name and the arguments, which are a JSON object
 * @param end after the arguments; where it contains {@link #ID}, an id of nine letters and digits
 * @param next before the name of each further call; null if the template writes one call only
 */
record ToolFormat(String begin, String middle, String end, @Nullable String next) {
  /** Stands for the id of a call: nine characters, as Mistral's templates demand. */
  static final String ID = "q7x8y9z0w";

  private static final String NAME = "zz_name_zz";
  private static final String OTHER = "zz_other_zz";
  private static final String CONTENT = "zz-content-zz";
  private static final String KEY = "zz_key_zz";

  /**
   * For templates that know nothing of tools: calls are written as Hermes' models do, and a system
   * message tells the model so.
   */
  static final ToolFormat GENERIC =
      new ToolFormat(
          "<tool_call>\n{\"name\": \"",
          "\", \"arguments\": ",
          "}\n</tool_call>",
          "\n<tool_call>\n{\"name\": \"");

  /** The format of a template; empty where it does not write calls of one form as JSON. */
  static Optional<ToolFormat> of(ChatPrompt chat) {
    try {
      return find(chat);
    } catch (TemplateException e) {
      return Optional.empty();
    }
  }

  private static Optional<ToolFormat> find(ChatPrompt chat) {
    List<Map<String, Object>> tools = List.of(tool(NAME), tool(OTHER));
    var user = Map.<String, Object>of("role", "user", "content", "hi");
    String prompt = chat.render(List.of(user), tools, true, Map.of());
    String one = chat.render(List.of(user, calls(List.of(call(NAME, 1)))), tools, false, Map.of());
    String said =
        chat.render(
            List.of(user, Map.of("role", "assistant", "content", CONTENT)), tools, false, Map.of());
    // A template may open the answer with more than it writes into a conversation (a thought).
    int from = commonPrefix(prompt, one);
    String written = one.substring(from);
    int contentAt = said.indexOf(CONTENT);
    int name = written.indexOf(NAME);
    int arguments = name < 0 ? -1 : written.indexOf('{', name);
    int close = arguments < 0 ? -1 : objectEnd(written, arguments);
    if (contentAt < 0 || close < 0 || !written.substring(arguments, close).contains(KEY)) {
      return Optional.empty();
    }
    String tail = said.substring(contentAt + CONTENT.length());
    String end = written.substring(close);
    end = end.endsWith(tail) ? end.substring(0, end.length() - tail.length()) : end.stripTrailing();
    String begin = written.substring(0, name).stripLeading();
    String middle = written.substring(name + NAME.length(), arguments);
    if (begin.isBlank()) {
      return Optional.empty(); // nothing tells a call from a text
    }
    return Optional.of(new ToolFormat(begin, middle, end, next(chat, tools, user, middle)));
  }

  private static @Nullable String next(
      ChatPrompt chat, List<Map<String, Object>> tools, Map<String, Object> user, String middle) {
    String two;
    try {
      two =
          chat.render(
              List.of(user, calls(List.of(call(NAME, 1), call(OTHER, 2)))), tools, false, Map.of());
    } catch (TemplateException e) {
      return null;
    }
    int second = two.lastIndexOf(OTHER);
    int first = two.lastIndexOf(NAME, second);
    int arguments = first < 0 ? -1 : two.indexOf('{', first + NAME.length() + middle.length() - 1);
    int close = arguments < 0 ? -1 : objectEnd(two, arguments);
    return close < 0 || close > second ? null : two.substring(close, second);
  }

  private static Map<String, Object> tool(String name) {
    return Map.of(
        "type",
        "function",
        "function",
        Map.of(
            "name",
            name,
            "description",
            "does",
            "parameters",
            Map.of(
                "type",
                "object",
                "properties",
                Map.of(KEY, Map.of("type", "string")),
                "required",
                List.of(KEY))));
  }

  private static Map<String, Object> call(String name, int argument) {
    var function = new LinkedHashMap<String, Object>();
    function.put("name", name);
    function.put("arguments", Map.of(KEY, "v" + argument));
    return Map.of("id", ID, "type", "function", "function", function);
  }

  private static Map<String, Object> calls(List<Map<String, Object>> calls) {
    return Map.of("role", "assistant", "content", "", "tool_calls", calls);
  }

  private static int commonPrefix(String a, String b) {
    int n = 0;
    while (n < a.length() && n < b.length() && a.charAt(n) == b.charAt(n)) {
      n++;
    }
    return n;
  }

  /** Behind the brace that closes the object at {@code from}; -1 where none does. */
  static int objectEnd(CharSequence text, int from) {
    var scan = new JsonScan();
    for (int i = from; i < text.length(); i++) {
      if (scan.accept(text.charAt(i))) {
        return i + 1;
      }
    }
    return -1;
  }

  /** Follows a JSON object character by character. */
  static final class JsonScan {
    private int depth;
    private boolean string;
    private boolean escaped;

    /** Whether the object is over with {@code c}. */
    boolean accept(char c) {
      if (string) {
        if (escaped) {
          escaped = false;
        } else if (c == '\\') {
          escaped = true;
        } else if (c == '"') {
          string = false;
        }
      } else if (c == '"') {
        string = true;
      } else if (c == '{' || c == '[') {
        depth++;
      } else if (c == '}' || c == ']') {
        depth--;
      }
      return depth == 0 && !string;
    }
  }

  /**
   * A grammar of calls.
   *
   * @param tools whose names and parameters are allowed
   * @param several whether more than one call may be made
   */
  String gbnf(List<Map<String, Object>> tools, boolean several) {
    var rules = new StringBuilder();
    var bodies = new ArrayList<String>();
    for (int i = 0; i < tools.size(); i++) {
      if (!(tools.get(i).get("function") instanceof Map<?, ?> function)) {
        throw new IllegalArgumentException("a tool without a function");
      }
      String prefix = "t" + i + "-";
      rules.append(prefixed(JsonSchema.toGbnf(parameters(function)), prefix));
      bodies.add(
          JsonSchema.quote(String.valueOf(function.get("name")))
              + " "
              + literal(middle)
              + " "
              + prefix
              + "root");
    }
    String body = "(" + String.join(" | ", bodies) + ")";
    String more = several && next != null ? " (" + literal(next) + " call){0,31}" : "";
    return "root ::= %s call%s %s\ncall ::= %s\n%s"
        .formatted(literal(begin), more, literal(end), body, rules);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, ?> parameters(Map<?, ?> function) {
    return function.get("parameters") instanceof Map<?, ?> map ? (Map<String, ?>) map : Map.of();
  }

  /** A literal in which the id of a call may be any. */
  private static String literal(String text) {
    int at = text.indexOf(ID);
    return at < 0
        ? JsonSchema.quote(text)
        : JsonSchema.quote(text.substring(0, at))
            + " [a-zA-Z0-9]{9} "
            + JsonSchema.quote(text.substring(at + ID.length()));
  }

  /** A grammar of the texts of two others, of which the second may have been written by hand. */
  static String either(String a, String b) {
    return "root ::= a-root | b-root\n" + prefixed(a, "a-") + "\n" + prefixed(b, "b-");
  }

  /** The rules with {@code prefix} before their names, so that grammars can stand together. */
  private static String prefixed(String gbnf, String prefix) {
    var all = new StringBuilder();
    int i = 0;
    boolean fresh = true;
    while (i < gbnf.length()) {
      char c = gbnf.charAt(i);
      if (c == '"' || c == '[') {
        int end = i + 1;
        char close = c == '"' ? '"' : ']';
        while (gbnf.charAt(end) != close) {
          end += gbnf.charAt(end) == '\\' ? 2 : 1;
        }
        all.append(gbnf, i, end + 1);
        i = end + 1;
        fresh = true;
      } else if (c == '#') {
        int end = gbnf.indexOf('\n', i);
        i = end < 0 ? gbnf.length() : end;
      } else if (c == '{') {
        int end = gbnf.indexOf('}', i) + 1;
        all.append(gbnf, i, end);
        i = end;
      } else {
        boolean nameChar = Character.isLetterOrDigit(c) || c == '-' || c == '_';
        if (nameChar && fresh) {
          all.append(prefix);
        }
        fresh = !nameChar;
        all.append(c);
        i++;
      }
    }
    return all.toString();
  }

  /** What tells that a call begins: what stands before the first brace, or all of it. */
  String trigger() {
    int brace = begin.indexOf('{');
    String mark = (brace < 0 ? begin : begin.substring(0, brace)).stripTrailing();
    // A brace or a bracket alone begins many a text.
    return mark.length() > 1 ? mark : begin;
  }
}
