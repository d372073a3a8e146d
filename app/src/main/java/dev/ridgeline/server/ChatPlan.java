package dev.ridgeline.server;

import dev.ridgeline.sampler.TokenMask;
import dev.ridgeline.sampler.grammar.GrammarException;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.template.ChatTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a conversation comes to: a prompt, how to generate, and how to read the text that comes.
 *
 * @param prompt ids
 * @param params with the constraints of the format and of the tools
 * @param readers makes one for each answer
 */
record ChatPlan(int[] prompt, GenerateParams params, Supplier<Delta.Reader> readers) {
  /** For models without a template: they continue a text, which is what they are given. */
  private static final ChatTemplate PLAIN =
      ChatTemplate.parse("plain", "{% for m in messages %}{{ m.content }}{{ '\\n' }}{% endfor %}");

  /** Which tools the model may call, and whether it must. */
  record Tools(List<Map<String, Object>> offered, Choice choice, boolean several) {
    enum Choice {
      NONE,
      AUTO,
      REQUIRED
    }

    static final Tools NONE = new Tools(List.of(), Choice.NONE, false);

    /** {@code tools}, {@code tool_choice} and {@code parallel_tool_calls} of a chat. */
    static Tools read(Fields body) {
      List<Map<String, Object>> all = ChatMessages.tools(body);
      boolean several = body.bool("parallel_tool_calls", true);
      JsonNode choice = body.any("tool_choice");
      if (choice != null && choice.isObject()) {
        Fields named = body.requiredFields("tool_choice");
        Fields function = named.fields("function");
        return named(body, all, (function == null ? named : function).requiredString("name"));
      }
      String word = body.string("tool_choice", "auto");
      return switch (word) {
        case "none" -> NONE;
        case "auto" -> all.isEmpty() ? NONE : new Tools(all, Choice.AUTO, several);
        case "required", "any" -> {
          if (all.isEmpty()) {
            throw body.invalid("tool_choice", "requires a call, but there are no 'tools'");
          }
          yield new Tools(all, Choice.REQUIRED, several);
        }
        default ->
            throw body.invalid(
                "tool_choice",
                "expected none, auto, required or the name of a function, found '%s'",
                word);
      };
    }

    static Tools named(Fields body, List<Map<String, Object>> all, String name) {
      var one = all.stream().filter(t -> name.equals(name(t))).toList();
      if (one.isEmpty()) {
        throw body.invalid("tool_choice", "names '%s', which is not among the 'tools'", name);
      }
      return new Tools(one, Choice.REQUIRED, false);
    }

    Set<String> names() {
      return offered.stream().map(t -> String.valueOf(name(t))).collect(Collectors.toSet());
    }

    private static Object name(Map<String, Object> tool) {
      return tool.get("function") instanceof Map<?, ?> f ? String.valueOf(f.get("name")) : "";
    }
  }

  Delta.Reader reader() {
    return readers.get();
  }

  static ChatPlan of(Exchange exchange, Fields body, GenerateParams params) {
    List<Map<String, Object>> messages = ChatMessages.read(body);
    return of(exchange, body, messages, Tools.read(body), Constraints.form(body), params);
  }

  /**
   * A plan for messages and tools from whatever protocol.
   *
   * @param form of the answer; where the model may call tools, it either calls or keeps to the form
   */
  static ChatPlan of(
      Exchange exchange,
      Fields body,
      List<Map<String, Object>> messages,
      Tools tools,
      Constraints.@Nullable Form form,
      GenerateParams params) {
    ChatPrompt chat = chatPrompt(exchange.core().engine());
    if (tools.offered.isEmpty()) {
      String prompt = render(chat, body, messages, List.of());
      GenerateParams formed = exchange.core().constraints().apply(form, params);
      return new ChatPlan(chat.encode(prompt), formed, readers(prompt, Delta.Reader::plain));
    }
    @Nullable ToolFormat own = exchange.core().toolFormat();
    ToolFormat format = own == null ? ToolFormat.GENERIC : own;
    String prompt =
        own == null
            ? render(chat, body, GenericTools.messages(messages, tools.offered), List.of())
            : render(chat, body, messages, tools.offered);
    boolean required = tools.choice == Tools.Choice.REQUIRED;
    return new ChatPlan(
        chat.encode(prompt),
        Constraints.with(
            params.toBuilder().specialTokens(true).build(),
            constraint(exchange.core().constraints(), format, tools, form)),
        required
            ? () -> new ToolReader(format, tools.names(), true)
            : readers(prompt, () -> new ToolReader(format, tools.names(), false)));
  }

  private static Supplier<TokenMask> constraint(
      Constraints constraints, ToolFormat format, Tools tools, Constraints.@Nullable Form form) {
    String calls;
    try {
      calls = format.gbnf(tools.offered, tools.several);
    } catch (GrammarException e) {
      throw ApiException.invalid("tools", "tools: " + e.getMessage());
    }
    if (tools.choice == Tools.Choice.REQUIRED) {
      return constraints.of(new Constraints.Form("tools", calls), true);
    }
    if (form == null) {
      return constraints.of(new Constraints.Form("tools", calls), true).after(format.trigger());
    }
    constraints.of(form, false); // says what is wrong with it, by its own lines
    String either = ToolFormat.either(calls, form.gbnf());
    return constraints.of(new Constraints.Form(form.field(), either), true);
  }

  /** With a reader of thoughts around them where the prompt or the answer may open one. */
  private static Supplier<Delta.Reader> readers(String prompt, Supplier<Delta.Reader> inner) {
    boolean open = prompt.stripTrailing().endsWith(ThoughtReader.OPEN);
    return () -> new ThoughtReader(inner.get(), open);
  }

  /** The model's template, or one that puts the messages one after the other. */
  static ChatPrompt chatPrompt(Engine engine) {
    return engine.chatPrompt().orElseGet(() -> ChatPrompt.of(PLAIN, engine.tokenizer()));
  }

  static String render(
      ChatPrompt chat,
      Fields body,
      List<Map<String, Object>> messages,
      List<Map<String, Object>> tools) {
    Fields variables = body.fields("chat_template_kwargs");
    return chat.render(
        messages,
        tools.isEmpty() ? null : tools,
        body.bool("add_generation_prompt", true),
        variables == null ? Map.of() : variables.asMap());
  }

  /** Tools told in plain words, for templates that know nothing of them. */
  private static final class GenericTools {
    private GenericTools() {}

    static List<Map<String, Object>> messages(
        List<Map<String, Object>> messages, List<Map<String, Object>> tools) {
      var all = new ArrayList<Map<String, Object>>();
      String told =
          "You may call functions. Their signatures:\n<tools>\n"
              + Json.text(tools)
              + "\n</tools>\nTo call one, answer with its name and arguments as JSON:\n"
              + "<tool_call>\n{\"name\": NAME, \"arguments\": {...}}\n</tool_call>";
      all.add(Map.of("role", "system", "content", told));
      for (Map<String, Object> message : messages) {
        all.add(plain(message));
      }
      return all;
    }

    private static Map<String, Object> plain(Map<String, Object> message) {
      String role = String.valueOf(message.get("role"));
      var content = new StringBuilder(String.valueOf(message.get("content")));
      if (role.equals("tool")) {
        return Map.of(
            "role", "user", "content", "<tool_response>\n" + content + "\n</tool_response>");
      }
      if (message.get("tool_calls") instanceof List<?> calls) {
        for (Object call : calls) {
          if (!(((Map<?, ?>) call).get("function") instanceof Map<?, ?> function)) {
            continue;
          }
          var shown = new LinkedHashMap<String, Object>();
          shown.put("name", function.get("name"));
          shown.put("arguments", function.get("arguments"));
          content.append("<tool_call>\n").append(Json.text(shown)).append("\n</tool_call>");
        }
      }
      return Map.of("role", role, "content", content.toString());
    }
  }
}
