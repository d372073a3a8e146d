package dev.ridgeline.server;

import dev.ridgeline.scheduler.FinishReason;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.server.ApiException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/messages}: Anthropic's API, and its way to count tokens. */
final class MessagesEndpoint {
  private MessagesEndpoint() {}

  /** An error as this API writes it. */
  static Object error(ApiException e) {
    String type =
        switch (e.kind()) {
          case INTERNAL -> "api_error";
          case NOT_READY -> "overloaded_error";
          case TOO_LARGE -> "request_too_large";
          case UNAUTHORIZED, NOT_FOUND, TOO_MANY, TIMEOUT -> e.kind().type();
          default -> "invalid_request_error";
        };
    return Map.of("type", "error", "error", Map.of("type", type, "message", e.text()));
  }

  static void handle(Exchange exchange) {
    Fields body = exchange.body();
    exchange.core().engine();
    exchange.core().checkModel(body);
    if (!body.has("max_tokens")) {
      throw body.missing("max_tokens", "a whole number");
    }
    ChatPlan plan = plan(exchange, body);
    boolean stream = body.bool("stream", false);
    try (Generation generation =
        Generation.start(exchange, List.of(plan.prompt()), 1, plan.params())) {
      var writer = new Writer(exchange, plan);
      if (stream) {
        writer.stream(generation);
      } else {
        writer.whole(generation);
      }
    }
  }

  static void count(Exchange exchange) {
    Fields body = exchange.body();
    exchange.core().engine();
    exchange.send(Map.of("input_tokens", plan(exchange, body).prompt().length));
  }

  private static ChatPlan plan(Exchange exchange, Fields body) {
    GenerateParams params = GenerateFields.read(exchange, body, -1, GenerateFields.maxTokens(body));
    params = params.toBuilder().stop(body.strings("stop_sequences").toArray(String[]::new)).build();
    return ChatPlan.of(exchange, body, messages(body), tools(body), Constraints.form(body), params);
  }

  private static List<Map<String, Object>> messages(Fields body) {
    var all = new ArrayList<Map<String, Object>>();
    String system = ChatMessages.content(body, "system");
    if (system != null) {
      all.add(Map.of("role", "system", "content", system));
    }
    List<Fields> messages = body.objects("messages");
    if (messages.isEmpty()) {
      throw body.missing("messages", "an array of at least one message");
    }
    for (Fields message : messages) {
      String role = message.requiredString("role");
      if (!role.equals("user") && !role.equals("assistant")) {
        throw message.invalid("role", "expected user or assistant, found '%s'", role);
      }
      JsonNode content = message.any("content");
      if (content != null && content.isString()) {
        all.add(Map.of("role", role, "content", content.asString()));
      } else {
        blocks(message, role, all);
      }
    }
    return all;
  }

  /** A message of blocks; results of tools become messages of their own. */
  private static void blocks(Fields message, String role, List<Map<String, Object>> into) {
    if (!message.has("content")) {
      throw message.missing("content", "a string or an array of blocks");
    }
    var text = new StringBuilder();
    var calls = new ArrayList<Map<String, Object>>();
    for (Fields block : message.objects("content")) {
      String type = block.requiredString("type");
      switch (type) {
        case "text" -> text.append(text.isEmpty() ? "" : "\n").append(block.requiredString("text"));
        case "thinking", "redacted_thinking" -> {}
        case "tool_use" ->
            calls.add(
                Map.of(
                    "id",
                    block.string("id", ""),
                    "type",
                    "function",
                    "function",
                    Map.of(
                        "name",
                        block.requiredString("name"),
                        "arguments",
                        block.requiredFields("input").asMap())));
        case "tool_result" -> {
          String result = ChatMessages.content(block, "content");
          into.add(
              Map.of(
                  "role",
                  "tool",
                  "tool_call_id",
                  block.requiredString("tool_use_id"),
                  "content",
                  result == null ? "" : result));
        }
        default ->
            throw block.invalid("type", "expected text, tool_use or tool_result, found '%s'", type);
      }
    }
    if (!text.isEmpty() || !calls.isEmpty()) {
      var map = new LinkedHashMap<String, Object>();
      map.put("role", role);
      map.put("content", text.toString());
      if (!calls.isEmpty()) {
        map.put("tool_calls", calls);
      }
      into.add(map);
    }
  }

  private static ChatPlan.Tools tools(Fields body) {
    var all = new ArrayList<Map<String, Object>>();
    for (Fields tool : body.objects("tools")) {
      Fields schema = tool.requiredFields("input_schema");
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
                  schema.asMap())));
    }
    Fields choice = body.fields("tool_choice");
    String type = choice == null ? "auto" : choice.requiredString("type");
    boolean several = choice == null || !choice.bool("disable_parallel_tool_use", false);
    if (all.isEmpty() || type.equals("none")) {
      return ChatPlan.Tools.NONE;
    }
    return switch (type) {
      case "auto" -> new ChatPlan.Tools(all, ChatPlan.Tools.Choice.AUTO, several);
      case "any" -> new ChatPlan.Tools(all, ChatPlan.Tools.Choice.REQUIRED, several);
      case "tool" ->
          ChatPlan.Tools.named(
              body, all, body.requiredFields("tool_choice").requiredString("name"));
      default ->
          throw body.invalid("tool_choice", "expected auto, any, tool or none, found '%s'", type);
    };
  }

  /** Puts tokens into the form of the answer. */
  private static final class Writer {
    private final Exchange exchange;
    private final Delta.Reader reader;
    private final int promptTokens;
    private @Nullable RequestStats stats;

    Writer(Exchange exchange, ChatPlan plan) {
      this.exchange = exchange;
      reader = plan.reader();
      promptTokens = plan.prompt().length;
    }

    private Generation.Listener into(Supplier<Blocks> blocks) {
      return new Generation.Listener() {
        @Override
        public void onToken(int index, Token token) {
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

    void whole(Generation generation) {
      var blocks = new Blocks((_, _) -> {});
      generation.run(into(() -> blocks));
      Map<String, Object> message = message(promptTokens);
      message.put("content", blocks.all().stream().map(Writer::block).toList());
      message.putAll(end(blocks));
      message.put("usage", usage());
      exchange.send(message);
    }

    private Map<String, Object> message(int inputTokens) {
      var map = new LinkedHashMap<String, Object>();
      map.put("id", "msg_" + exchange.line().id());
      map.put("type", "message");
      map.put("role", "assistant");
      map.put("model", exchange.core().model());
      map.put("content", List.of());
      map.put("usage", Map.of("input_tokens", inputTokens, "output_tokens", 0));
      return map;
    }

    private Map<String, Object> usage() {
      RequestStats s = stats;
      if (s == null) {
        throw ApiException.of(Kind.INTERNAL, "no answer");
      }
      return Map.of(
          "input_tokens",
          s.promptTokens() - s.cachedTokens(),
          "cache_read_input_tokens",
          s.cachedTokens(),
          "cache_creation_input_tokens",
          0,
          "output_tokens",
          s.generatedTokens());
    }

    private Map<String, @Nullable Object> end(Blocks blocks) {
      RequestStats s = stats;
      String stop = s == null ? null : s.stopString();
      String reason =
          s != null && s.finishReason() == FinishReason.LENGTH
              ? "max_tokens"
              : blocks.hasCalls() ? "tool_use" : stop != null ? "stop_sequence" : "end_turn";
      var map = new LinkedHashMap<String, @Nullable Object>();
      map.put("stop_reason", reason);
      map.put("stop_sequence", stop);
      return map;
    }

    private static Map<String, Object> block(Blocks.Block block) {
      String text = block.text().toString();
      return switch (block.kind()) {
        case TEXT -> Map.of("type", "text", "text", text);
        case THOUGHT -> Map.of("type", "thinking", "thinking", text, "signature", "");
        case CALL ->
            Map.of(
                "type", "tool_use", "id", block.id(), "name", block.name(), "input", input(text));
      };
    }

    /** The arguments; none where the answer was cut off in the middle of them. */
    private static Map<String, Object> input(String json) {
      try {
        return ChatMessages.arguments("input", json);
      } catch (ApiException e) {
        return Map.of();
      }
    }

    void stream(Generation generation) {
      var holder = new Blocks[1];
      Function<Supplier<Sse>, Generation.Listener> listener = sse -> into(() -> begun(sse, holder));
      StreamedAnswer.run(
          exchange,
          generation,
          listener,
          sse -> {
            sse.add(
                "message_delta",
                Map.of("type", "message_delta", "delta", end(holder[0]), "usage", usage()));
            sse.add("message_stop", Map.of("type", "message_stop"));
            sse.flush();
          },
          (sse, e) -> sse.add("error", error(e)));
    }

    private Blocks begun(Supplier<Sse> sse, Blocks[] holder) {
      if (holder[0] == null) {
        sse.get()
            .add(
                "message_start", Map.of("type", "message_start", "message", message(promptTokens)));
        holder[0] = new Blocks(new Events(sse.get()));
      }
      return holder[0];
    }
  }

  /** Writes blocks as events. */
  private record Events(Sse sse) implements Blocks.Listener {
    @Override
    public void onOpen(Blocks.Block block) {
      Object empty =
          switch (block.kind()) {
            case TEXT -> Map.of("type", "text", "text", "");
            case THOUGHT -> Map.of("type", "thinking", "thinking", "", "signature", "");
            case CALL ->
                Map.of(
                    "type", "tool_use", "id", block.id(), "name", block.name(), "input", Map.of());
          };
      add("content_block_start", block, Map.of("content_block", empty));
    }

    @Override
    public void onGrow(Blocks.Block block, String text) {
      Object delta =
          switch (block.kind()) {
            case TEXT -> Map.of("type", "text_delta", "text", text);
            case THOUGHT -> Map.of("type", "thinking_delta", "thinking", text);
            case CALL -> Map.of("type", "input_json_delta", "partial_json", text);
          };
      add("content_block_delta", block, Map.of("delta", delta));
    }

    @Override
    public void onClose(Blocks.Block block) {
      add("content_block_stop", block, Map.of());
    }

    private void add(String event, Blocks.Block block, Map<String, Object> more) {
      var map = new LinkedHashMap<String, Object>();
      map.put("type", event);
      map.put("index", block.index());
      map.putAll(more);
      sse.add(event, map);
    }
  }
}
