package dev.ridgeline.server;

import dev.ridgeline.sampler.Logprobs;
import dev.ridgeline.scheduler.FinishReason;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * {@code POST /v1/responses}: OpenAI's newer API, without state: nothing is stored, so every
 * request carries its whole conversation.
 */
final class ResponsesEndpoint {
  private static final String WITH_LOGPROBS = "message.output_text.logprobs";

  private ResponsesEndpoint() {}

  static void handle(Exchange exchange) {
    Fields body = exchange.body();
    exchange.core().engine();
    exchange.core().checkModel(body);
    for (String state : List.of("previous_response_id", "conversation")) {
      if (body.has(state)) {
        throw body.invalid(
            state, "is not supported: nothing is stored; send the whole conversation as 'input'");
      }
    }
    if (body.bool("background", false)) {
      throw body.invalid("background", "is not supported");
    }
    GenerateParams params =
        GenerateFields.read(
            exchange,
            body,
            body.strings("include").contains(WITH_LOGPROBS)
                ? body.integer("top_logprobs", 0, ChatEndpoint.MAX_TOP_LOGPROBS, 0)
                : -1,
            GenerateFields.maxTokens(body));
    Fields text = body.fields("text");
    Fields format = text == null ? null : text.fields("format");
    Constraints.Form form = Constraints.form(body);
    if (format != null) {
      form = Constraints.form("text.format", format, form);
    }
    ChatPlan plan = ChatPlan.of(exchange, body, messages(body), tools(body), form, params);
    try (Generation generation =
        Generation.start(exchange, List.of(plan.prompt()), 1, plan.params())) {
      new Writer(exchange, body, plan).write(generation, body.bool("stream", false));
    }
  }

  private static List<Map<String, Object>> messages(Fields body) {
    var all = new ArrayList<Map<String, Object>>();
    String instructions = body.string("instructions");
    if (instructions != null) {
      all.add(Map.of("role", "system", "content", instructions));
    }
    JsonNode input = body.any("input");
    if (input == null) {
      throw body.missing("input", "a string or an array of items");
    }
    if (input.isString()) {
      all.add(Map.of("role", "user", "content", input.asString()));
      return all;
    }
    for (Fields item : body.objects("input")) {
      String type = item.string("type", "message");
      switch (type) {
        case "message" -> all.add(message(item));
        case "function_call" -> addCall(item, all);
        case "function_call_output" -> {
          String output = ChatMessages.content(item, "output");
          all.add(
              Map.of(
                  "role",
                  "tool",
                  "tool_call_id",
                  item.requiredString("call_id"),
                  "content",
                  output == null ? "" : output));
        }
        case "reasoning" -> {}
        default ->
            throw item.invalid(
                "type",
                "expected message, function_call or function_call_output, found '%s'",
                type);
      }
    }
    return all;
  }

  private static Map<String, Object> message(Fields item) {
    String role = item.requiredString("role");
    String content = ChatMessages.content(item, "content");
    if (content == null) {
      throw item.missing("content", "a string or an array of parts");
    }
    return switch (role) {
      case "user", "assistant", "system" -> Map.of("role", role, "content", content);
      case "developer" -> Map.of("role", "system", "content", content);
      default ->
          throw item.invalid(
              "role", "expected user, assistant, system or developer, found '%s'", role);
    };
  }

  /** Calls that stand together were one message. */
  private static void addCall(Fields item, List<Map<String, Object>> all) {
    String arguments = item.string("arguments", "{}");
    Map<String, Object> call =
        Map.of(
            "id",
            item.requiredString("call_id"),
            "type",
            "function",
            "function",
            Map.of(
                "name",
                item.requiredString("name"),
                "arguments",
                ChatMessages.arguments(item.name("arguments"), arguments)));
    var calls = new ArrayList<Object>();
    if (!all.isEmpty() && all.getLast().get("tool_calls") instanceof List<?> before) {
      calls.addAll(before);
      all.removeLast();
    }
    calls.add(call);
    all.add(Map.of("role", "assistant", "content", "", "tool_calls", calls));
  }

  private static ChatPlan.Tools tools(Fields body) {
    var all = new ArrayList<Map<String, Object>>();
    for (Fields tool : body.objects("tools")) {
      String type = tool.requiredString("type");
      if (!type.equals("function")) {
        throw tool.invalid("type", "expected function, found '%s'", type);
      }
      Fields parameters = tool.fields("parameters");
      all.add(
          Map.of(
              "type",
              "function",
              "function",
              Map.of(
                  "name",
                  tool.requiredString("name"),
                  "description",
                  tool.string("description", ""),
                  "parameters",
                  parameters == null ? Map.of() : parameters.asMap())));
    }
    boolean several = body.bool("parallel_tool_calls", true);
    JsonNode choice = body.any("tool_choice");
    if (choice != null && choice.isObject()) {
      return ChatPlan.Tools.named(
          body, all, body.requiredFields("tool_choice").requiredString("name"));
    }
    String word = body.string("tool_choice", "auto");
    return switch (word) {
      case "none" -> ChatPlan.Tools.NONE;
      case "auto" ->
          all.isEmpty()
              ? ChatPlan.Tools.NONE
              : new ChatPlan.Tools(all, ChatPlan.Tools.Choice.AUTO, several);
      case "required" -> new ChatPlan.Tools(all, ChatPlan.Tools.Choice.REQUIRED, several);
      default ->
          throw body.invalid(
              "tool_choice", "expected none, auto, required or a function, found '%s'", word);
    };
  }

  /** Puts tokens into the form of the answer. */
  private static final class Writer {
    private final Exchange exchange;
    private final Fields body;
    private final Delta.Reader reader;
    private final String id;

    /** Of tokens whose text is held back. */
    private final List<ChatEndpoint.Probability> pending = new ArrayList<>();

    private final Map<Integer, List<ChatEndpoint.Probability>> said = new HashMap<>();
    private @Nullable RequestStats stats;

    Writer(Exchange exchange, Fields body, ChatPlan plan) {
      this.exchange = exchange;
      this.body = body;
      reader = plan.reader();
      id = exchange.line().id();
    }

    void write(Generation generation, boolean stream) {
      if (!stream) {
        var blocks = new Blocks((block, _) -> tell(block));
        generation.run(into(() -> blocks));
        exchange.send(response(blocks, status()));
        return;
      }
      var events = new Events[1];
      StreamedAnswer.run(
          exchange,
          generation,
          sse -> into(() -> begun(sse, events).blocks),
          _ -> {
            String status = status();
            events[0].add(
                "response." + status, Map.of("response", response(events[0].blocks, status)));
            events[0].sse.flush();
          },
          (sse, e) ->
              sse.add(
                  "error", Map.of("type", "error", "message", e.text(), "code", e.kind().type())));
    }

    private Events begun(Supplier<Sse> sse, Events[] holder) {
      if (holder[0] == null) {
        var events = new Events(sse.get());
        holder[0] = events;
        for (String event : List.of("response.created", "response.in_progress")) {
          events.add(event, Map.of("response", response(events.blocks, "in_progress")));
        }
      }
      return holder[0];
    }

    private Generation.Listener into(Supplier<Blocks> blocks) {
      return new Generation.Listener() {
        @Override
        public void onToken(int index, Token token) {
          Logprobs logprobs = token.logprobs();
          if (logprobs != null) {
            pending.add(
                ChatEndpoint.Probability.of(
                    exchange.core().engine().tokenizer(), token.id(), logprobs));
          }
          blocks.get().accept(reader.accept(token.text()));
        }

        @Override
        public void onEnd(int index, RequestStats of) {
          stats = of;
          blocks.get().accept(reader.finish());
          blocks.get().finish();
        }
      };
    }

    /** What is pending belongs to the piece of {@code block} that goes out now. */
    private List<ChatEndpoint.Probability> tell(Blocks.Block block) {
      List<ChatEndpoint.Probability> all = List.copyOf(pending);
      pending.clear();
      said.computeIfAbsent(block.index(), _ -> new ArrayList<>()).addAll(all);
      return all;
    }

    private String status() {
      return stats != null && stats.finishReason() == FinishReason.LENGTH
          ? "incomplete"
          : "completed";
    }

    private Map<String, @Nullable Object> response(Blocks blocks, String status) {
      var map = new LinkedHashMap<String, @Nullable Object>();
      boolean over = !status.equals("in_progress");
      map.put("id", "resp_" + id);
      map.put("object", "response");
      map.put("created_at", exchange.core().createdSeconds());
      map.put("status", status);
      map.put("model", exchange.core().model());
      map.put(
          "output",
          over ? blocks.all().stream().map(b -> item(b, "completed")).toList() : List.of());
      map.put("error", null);
      map.put(
          "incomplete_details",
          status.equals("incomplete") ? Map.of("reason", "max_output_tokens") : null);
      map.put("instructions", body.string("instructions"));
      map.put("metadata", Map.of());
      map.put("parallel_tool_calls", body.bool("parallel_tool_calls", true));
      map.put("temperature", body.number("temperature"));
      map.put("top_p", body.number("top_p"));
      map.put("tool_choice", body.has("tool_choice") ? body.any("tool_choice") : "auto");
      map.put("tools", body.has("tools") ? body.any("tools") : List.of());
      map.put("store", false);
      RequestStats s = stats;
      map.put(
          "usage",
          s == null
              ? null
              : Map.of(
                  "input_tokens", s.promptTokens(),
                  "input_tokens_details", Map.of("cached_tokens", s.cachedTokens()),
                  "output_tokens", s.generatedTokens(),
                  "output_tokens_details", Map.of("reasoning_tokens", 0),
                  "total_tokens", s.promptTokens() + s.generatedTokens()));
      return map;
    }

    private Map<String, Object> item(Blocks.Block block, String status) {
      boolean over = status.equals("completed");
      String text = over ? block.text().toString() : "";
      var map = new LinkedHashMap<String, Object>();
      map.put("id", itemId(block));
      switch (block.kind()) {
        case TEXT -> {
          map.put("type", "message");
          map.put("role", "assistant");
          map.put("status", status);
          map.put("content", over ? List.of(part(block, text)) : List.of());
        }
        case THOUGHT -> {
          map.put("type", "reasoning");
          map.put("summary", List.of());
          map.put(
              "content",
              over ? List.of(Map.of("type", "reasoning_text", "text", text)) : List.of());
        }
        case CALL -> {
          map.put("type", "function_call");
          map.put("call_id", block.id());
          map.put("name", block.name());
          map.put("arguments", text);
          map.put("status", status);
        }
      }
      return map;
    }

    private Map<String, Object> part(Blocks.Block block, String text) {
      return Map.of(
          "type",
          "output_text",
          "text",
          text,
          "annotations",
          List.of(),
          "logprobs",
          text.isEmpty() ? List.of() : said.getOrDefault(block.index(), List.of()));
    }

    private String itemId(Blocks.Block block) {
      String prefix =
          switch (block.kind()) {
            case TEXT -> "msg_";
            case THOUGHT -> "rs_";
            case CALL -> "fc_";
          };
      return prefix + id + "_" + block.index();
    }

    /** Writes blocks as events, numbered. */
    private final class Events implements Blocks.Listener {
      private final Sse sse;
      private final Blocks blocks = new Blocks(this);
      private int number;

      Events(Sse sse) {
        this.sse = sse;
      }

      void add(String event, Map<String, ?> more) {
        var map = new LinkedHashMap<String, Object>();
        map.put("type", event);
        map.put("sequence_number", number++);
        map.putAll(more);
        sse.add(event, map);
      }

      private void add(String event, Blocks.Block block, Map<String, ?> more) {
        var map = new LinkedHashMap<String, Object>();
        map.put("item_id", itemId(block));
        map.put("output_index", block.index());
        map.putAll(more);
        add(event, map);
      }

      @Override
      public void onOpen(Blocks.Block block) {
        add(
            "response.output_item.added",
            Map.of("output_index", block.index(), "item", item(block, "in_progress")));
        if (block.kind() == Blocks.Kind.TEXT) {
          add(
              "response.content_part.added",
              block,
              Map.of("content_index", 0, "part", part(block, "")));
        }
      }

      @Override
      public void onGrow(Blocks.Block block, String text) {
        var logprobs = tell(block);
        switch (block.kind()) {
          case TEXT ->
              add(
                  "response.output_text.delta",
                  block,
                  Map.of("content_index", 0, "delta", text, "logprobs", logprobs));
          case THOUGHT ->
              add(
                  "response.reasoning_text.delta",
                  block,
                  Map.of("content_index", 0, "delta", text));
          case CALL -> add("response.function_call_arguments.delta", block, Map.of("delta", text));
        }
      }

      @Override
      public void onClose(Blocks.Block block) {
        String text = block.text().toString();
        switch (block.kind()) {
          case TEXT -> {
            add(
                "response.output_text.done",
                block,
                Map.of(
                    "content_index",
                    0,
                    "text",
                    text,
                    "logprobs",
                    said.getOrDefault(block.index(), List.of())));
            add(
                "response.content_part.done",
                block,
                Map.of("content_index", 0, "part", part(block, text)));
          }
          case THOUGHT ->
              add("response.reasoning_text.done", block, Map.of("content_index", 0, "text", text));
          case CALL ->
              add(
                  "response.function_call_arguments.done",
                  block,
                  Map.of("arguments", text, "name", block.name()));
        }
        add(
            "response.output_item.done",
            Map.of("output_index", block.index(), "item", item(block, "completed")));
      }
    }
  }
}
