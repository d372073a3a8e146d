package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.template.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Calls of tools: found in texts, forced on a model, in the form of each template. */
@Timeout(120)
class ToolsTest {
  private static final String TOOLS =
      "'tools':[{'type':'function','function':{'name':'weather','description':'of a"
          + " place','parameters':"
          + "{'type':'object','properties':{'place':{'type':'string','maxLength':10},'days':{'type':'integer',"
          + "'minimum':1,'maximum':9}},'required':['place','days']}}},"
          + "{'type':'function','function':{'name':'clock','parameters':{'type':'object','properties':{},'additionalProperties':false}}}]";
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String ask(String more) {
    return "{'messages':[{'role':'user','content':'How is the"
        + " weather?'}],'max_tokens':120,'seed':2,"
        + TOOLS
        + more
        + "}";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'function','function':{'name':'weather'}}",
        "{'type':'function','name':'weather'}",
      })
  void aNamedToolIsCalledWithArgumentsOfItsSchema(String choice) {
    JsonNode answer =
        server
            .post("/v1/chat/completions", ask(",'tool_choice':" + choice))
            .json()
            .get("choices")
            .get(0);
    assertThat(answer.get("finish_reason").asString()).isEqualTo("tool_calls");
    JsonNode call = answer.get("message").get("tool_calls").get(0);
    assertThat(call.get("type").asString()).isEqualTo("function");
    assertThat(call.get("id").asString()).startsWith("call_");
    assertThat(call.get("function").get("name").asString()).isEqualTo("weather");
    JsonNode arguments = Json.MAPPER.readTree(call.get("function").get("arguments").asString());
    assertThat(arguments.propertyNames()).containsExactly("place", "days");
    assertThat(arguments.get("days").asInt()).isBetween(1, 9);
  }

  @Test
  void aRequiredCallIsStreamedInPieces() {
    var name = new StringBuilder();
    var arguments = new StringBuilder();
    String reason = "";
    int pieces = 0;
    for (JsonNode event :
        server
            .post(
                "/v1/chat/completions",
                ask(",'tool_choice':'required','parallel_tool_calls':false,'stream':true"))
            .events()) {
      JsonNode choice = event.get("choices").get(0);
      for (JsonNode call : choice.get("delta").path("tool_calls")) {
        assertThat(call.get("index").asInt()).isZero();
        name.append(call.get("function").path("name").asString(""));
        arguments.append(call.get("function").get("arguments").asString());
        pieces++;
      }
      reason = choice.path("finish_reason").asString(reason);
    }
    assertThat(reason).isEqualTo("tool_calls");
    assertThat(name.toString()).isIn("weather", "clock");
    assertThat(Json.MAPPER.readTree(arguments.toString()).isObject()).isTrue();
    assertThat(pieces).isGreaterThan(1);
  }

  @Test
  void autoAndNoneAnswerInWords() {
    for (String choice : List.of("", ",'tool_choice':'none'", ",'tool_choice':'auto'")) {
      JsonNode message =
          server
              .post(
                  "/v1/chat/completions",
                  ask(choice + ",'max_tokens':8").replace("'max_tokens':120,", ""))
              .json()
              .get("choices")
              .get(0)
              .get("message");
      assertThat(message.get("content").asString()).isNotBlank();
      assertThat(message.has("tool_calls")).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        ",'tool_choice':'maybe' | tool_choice | found 'maybe'",
        ",'tool_choice':{'type':'function','function':{'name':'fly'}} | tool_choice | 'fly'",
        ",'tool_choice':{'type':'function'} | tool_choice.name | missing",
        ",'response_format':{'type':'json_schema','json_schema':{'schema':{'not':{}}}} |"
            + " response_format | cannot be enforced",
      })
  void aWrongChoiceIsRefused(String field, String param, String part) {
    server.post("/v1/chat/completions", ask(field)).isError(400, param, part);
  }

  @Test
  void aWrongToolIsRefused() {
    String body = "{'messages':[{'role':'user','content':'x'}],'tools':[%s]}";
    server
        .post("/v1/chat/completions", body.formatted("{'type':'function'}"))
        .isError(400, "tools[0].function", "missing");
    server
        .post("/v1/chat/completions", body.formatted("{'function':{'name':'a b'}}"))
        .isError(400, "tools[0].function.name", "a b");
  }

  @Test
  void whereToolsMayBeCalledTheAnswerIsACallOrKeepsToItsFormat() {
    String format =
        ",'response_format':{'type':'json_schema','json_schema':{'name':'x','schema':{'type':"
            + "'object','properties':{'name':{'enum':['cat','dog']}},'required':['name']}}}";
    int words = 0;
    int calls = 0;
    for (int seed = 0; seed < 12; seed++) {
      JsonNode answer =
          server
              .post("/v1/chat/completions", ask(format).replace("'seed':2", "'seed':" + seed))
              .json();
      JsonNode message = answer.path("choices").path(0).path("message");
      if (message.has("tool_calls")) {
        calls++;
        assertThat(message.get("tool_calls").get(0).get("function").get("name").asString())
            .isIn("weather", "clock");
      } else {
        words++;
        JsonNode said = Json.MAPPER.readTree(message.path("content").asString(answer.toString()));
        assertThat(said.get("name").asString()).isIn("cat", "dog");
      }
    }
    assertThat(words + calls).isEqualTo(12);
    // The same for the API of responses, and a call that is demanded is one.
    JsonNode response =
        server
            .post(
                "/v1/responses",
                "{'input':'x','seed':3,'max_output_tokens':120,'text':{'format':{'type':'json_schema','name':"
                    + "'n','schema':{'type':'object','properties':{'a':{'type':'boolean'}},'required':['a']}}},"
                    + "'tools':[{'type':'function','name':'f','parameters':{'type':'object'}}]}")
            .json();
    JsonNode item = response.get("output").get(0);
    assertThat(item.get("type").asString()).isIn("message", "function_call");
    if (item.get("type").asString().equals("message")) {
      String text = item.get("content").get(0).get("text").asString();
      assertThat(Json.MAPPER.readTree(text).get("a").isBoolean()).isTrue();
    }
    JsonNode required =
        server
            .post(
                "/v1/chat/completions",
                ask(format + ",'tool_choice':'required','parallel_tool_calls':false"))
            .json();
    assertThat(required.get("choices").get(0).get("finish_reason").asString())
        .isEqualTo("tool_calls");
  }

  /** Llama 3's calls are bare JSON, and so are answers with a format. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 1000})
  void jsonThatOnlyLooksLikeACallIsAnAnswer(int step) {
    var llama = new ToolFormat("{\"name\": \"", "\", \"parameters\": ", "}", null);
    var names = Set.of("clock", "weather");
    String text = "{\"name\": \"cat\", \"age\": 3}";
    assertThat(read(new ToolReader(llama, names, false), text, step)).isEqualTo(text);
    assertThat(
            read(
                new ToolReader(llama, names, false),
                "{\"name\": \"clock\", \"parameters\": {}}",
                step))
        .isEqualTo("|clock{}");
  }

  private static Optional<ToolFormat> formatOf(String template) throws IOException {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.exists(folder.resolve("shared/conformance/templates"))) {
      folder = folder.getParent();
    }
    Assumptions.assumeTrue(folder != null, "needs shared/conformance beside the repository");
    Path file = folder.resolve("shared/conformance/templates/" + template + ".jinja");
    Assumptions.assumeTrue(Files.exists(file), "needs " + template + ".jinja");
    try (Engine engine =
        Engine.open(
            TestServer.MODEL,
            EngineOptions.builder().backend("reference").context(64).parallel(1).build())) {
      return ToolFormat.of(
          ChatPrompt.of(ChatTemplate.parse(template, Files.readString(file)), engine.tokenizer()));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "Qwen-Qwen2.5-7B-Instruct | <tool_call>\\n"
            + "{\"name\": \" | \", \"arguments\":  | }\\n"
            + "</tool_call>",
        "NousResearch-Hermes-3-Llama-3.1-8B-tool_use | <tool_call>\\n"
            + "{\"name\": \" | \", \"arguments\":  | }\\n"
            + "</tool_call>",
      })
  void theFormatOfATemplateIsFound(String template, String begin, String middle, String end)
      throws IOException {
    ToolFormat format = formatOf(template).orElseThrow();
    assertThat(format.begin()).isEqualTo(begin.replace("\\n", "\n"));
    assertThat(format.middle().strip()).isEqualTo(middle);
    assertThat(format.end()).isEqualTo(end.replace("\\n", "\n"));
    assertThat(format.trigger()).isEqualTo("<tool_call>");
  }

  private static String read(Delta.Reader reader, String text, int step) {
    var answer = new ChatAnswer(reader);
    for (int i = 0; i < text.length(); i += step) {
      answer.accept(text.substring(i, Math.min(text.length(), i + step)));
    }
    answer.finish();
    var all = new ArrayList<String>();
    all.add(answer.content());
    answer.calls().forEach(c -> all.add(c.name() + c.arguments()));
    if (!answer.reasoning().isEmpty()) {
      all.add("(" + answer.reasoning() + ")");
    }
    return String.join("|", all);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 1000})
  void callsAreFoundHoweverTheTextIsCut(int step) {
    ToolFormat f = ToolFormat.GENERIC;
    String one = "<tool_call>\n{\"name\": \"a\", \"arguments\": {\"x\": \"}\\\"{\"}}\n</tool_call>";
    String two = one + "\n<tool_call>\n{\"name\": \"b\", \"arguments\": {}}\n</tool_call>";
    assertThat(read(new ToolReader(f, Set.of("a", "b"), false), "Let me see.\n" + two, step))
        .isEqualTo("Let me see.|a{\"x\": \"}\\\"{\"}|b{}");
    assertThat(read(new ToolReader(f, Set.of("a", "b"), true), one, step))
        .isEqualTo("|a{\"x\": \"}\\\"{\"}");
    assertThat(read(new ToolReader(f, Set.of("a", "b"), false), "1 < 2 <tool_", step))
        .isEqualTo("1 < 2 <tool_");
    var mistral =
        new ToolFormat(
            "[TOOL_CALLS][{\"name\": \"",
            "\", \"arguments\": ",
            ", \"id\": \"" + ToolFormat.ID + "\"}]",
            null);
    assertThat(
            read(
                new ToolReader(mistral, Set.of("a"), false),
                "[TOOL_CALLS][{\"name\": \"a\", \"arguments\": {}, \"id\": \"abcdefghi\"}]",
                step))
        .isEqualTo("|a{}");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1000})
  void thoughtsArePartedFromTheAnswer(int step) {
    assertThat(
            read(
                new ThoughtReader(Delta.Reader.plain(), false),
                "<think>\nhm <b>\n</think>\n\nYes.",
                step))
        .isEqualTo("Yes.|(hm <b>\n)");
    assertThat(read(new ThoughtReader(Delta.Reader.plain(), true), "hm</think>Yes.", step))
        .isEqualTo("Yes.|(hm)");
    assertThat(read(new ThoughtReader(Delta.Reader.plain(), false), " <thing>", step))
        .isEqualTo(" <thing>");
    assertThat(read(new ThoughtReader(Delta.Reader.plain(), true), "never ends", step))
        .isEqualTo("|(never ends)");
  }
}
