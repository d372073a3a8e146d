package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** Anthropic's messages and OpenAI's responses. */
@Timeout(120)
class OtherProtocolsTest {
  private static final String TOOL =
      "'name':'weather','description':'of a place',%s:{'type':'object','properties':{'place':"
          + "{'type':'string','maxLength':8}},'required':['place']}";
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<String> types(List<JsonNode> events) {
    return events.stream().map(e -> e.get("type").asString()).distinct().toList();
  }

  @Test
  void aMessageStreamedIsTheSameText() {
    String body =
        "{'model':'m','max_tokens':8,'seed':1,'system':'A"
            + " tale.','messages':[{'role':'user','content':[{'type':'text','text':'Once upon a"
            + " time'}]}]%s}";
    JsonNode whole = server.post("/v1/messages", body.formatted("")).json();
    assertThat(whole.get("type").asString()).isEqualTo("message");
    assertThat(whole.get("stop_reason").asString()).isEqualTo("max_tokens");
    assertThat(whole.get("usage").get("output_tokens").asInt()).isEqualTo(8);
    List<JsonNode> events = server.post("/v1/messages", body.formatted(",'stream':true")).events();
    assertThat(types(events))
        .containsExactly(
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop");
    var text = new StringBuilder();
    events.forEach(e -> text.append(e.path("delta").path("text").asString("")));
    assertThat(text.toString())
        .isEqualTo(whole.get("content").get(0).get("text").asString())
        .isNotBlank();
  }

  @Test
  void aToolIsUsedInBothProtocols() {
    JsonNode message =
        server
            .post(
                "/v1/messages",
                "{'max_tokens':200,'seed':1,'messages':[{'role':'user','content':'How is"
                    + " it?'}],'tools':[{"
                    + TOOL.formatted("'input_schema'")
                    + "}],'tool_choice':{'type':'tool','name':'weather'}}")
            .json();
    assertThat(message.has("content")).as(message.toString()).isTrue();
    JsonNode use = message.get("content").get(0);
    assertThat(message.get("stop_reason").asString()).isEqualTo("tool_use");
    assertThat(use.get("type").asString()).isEqualTo("tool_use");
    assertThat(use.get("input").get("place").isString()).isTrue();

    JsonNode response =
        server
            .post(
                "/v1/responses",
                "{'max_output_tokens':200,'seed':1,'input':'How is"
                    + " it?','tools':[{'type':'function',"
                    + TOOL.formatted("'parameters'")
                    + "}],'tool_choice':'required'}")
            .json();
    JsonNode call = response.get("output").get(0);
    assertThat(call.get("type").asString()).isEqualTo("function_call");
    assertThat(Json.MAPPER.readTree(call.get("arguments").asString()).has("place")).isTrue();
  }

  @Test
  void aToolIsStreamedInBothProtocols() {
    List<JsonNode> events =
        server
            .post(
                "/v1/messages",
                "{'max_tokens':200,'seed':1,'stream':true,'messages':[{'role':'user','content':'How is"
                    + " it?'}],'tools':[{"
                    + TOOL.formatted("'input_schema'")
                    + "}],'tool_choice':{'type':'any','disable_parallel_tool_use':true}}")
            .events();
    var input = new StringBuilder();
    events.forEach(e -> input.append(e.path("delta").path("partial_json").asString("")));
    assertThat(Json.MAPPER.readTree(input.toString()).get("place").isString()).isTrue();
    JsonNode start = events.get(1).get("content_block");
    assertThat(start.get("type").asString()).isEqualTo("tool_use");
    assertThat(start.get("name").asString()).isEqualTo("weather");
    JsonNode end = events.get(events.size() - 2);
    assertThat(end.get("delta").get("stop_reason").asString()).isEqualTo("tool_use");
    assertThat(end.get("usage").get("output_tokens").asInt()).isPositive();
    assertThat(events.getFirst().get("message").get("usage").get("input_tokens").asInt())
        .isPositive();

    List<JsonNode> response =
        server
            .post(
                "/v1/responses",
                "{'max_output_tokens':200,'seed':1,'stream':true,'input':'How is"
                    + " it?','parallel_tool_calls':false,'tools':[{'type':'function',"
                    + TOOL.formatted("'parameters'")
                    + "}],'tool_choice':{'type':'function','name':'weather'}}")
            .events();
    var arguments = new StringBuilder();
    response.stream()
        .filter(e -> e.get("type").asString().equals("response.function_call_arguments.delta"))
        .forEach(e -> arguments.append(e.get("delta").asString()));
    JsonNode call = response.getLast().get("response").get("output").get(0);
    assertThat(call.get("arguments").asString()).isEqualTo(arguments.toString());
    assertThat(Json.MAPPER.readTree(arguments.toString()).has("place")).isTrue();
    assertThat(types(response))
        .contains("response.function_call_arguments.done", "response.completed");
  }

  @Test
  void probabilitiesOfAResponseAreToldWhereAskedFor() {
    String body =
        "{'input':'Once','max_output_tokens':5,'seed':1,'include':['message.output_text.logprobs'],"
            + "'top_logprobs':2%s}";
    JsonNode whole = server.post("/v1/responses", body.formatted("")).json();
    JsonNode probabilities = whole.get("output").get(0).get("content").get(0).get("logprobs");
    assertThat(probabilities.size()).isEqualTo(5);
    for (JsonNode p : probabilities) {
      assertThat(p.get("logprob").asDouble()).isLessThanOrEqualTo(0);
      assertThat(p.get("top_logprobs").size()).isEqualTo(2);
    }
    int streamed = 0;
    for (JsonNode event : server.post("/v1/responses", body.formatted(",'stream':true")).events()) {
      if (event.get("type").asString().equals("response.output_text.delta")) {
        streamed += event.get("logprobs").size();
      }
    }
    assertThat(streamed).isEqualTo(5);
  }

  @Test
  void resultsOfToolsAreReadInBothProtocols() {
    assertThat(
            server
                .post(
                    "/v1/messages",
                    "{'max_tokens':4,'messages':[{'role':'user','content':'a'},{'role':'assistant','content':"
                        + "[{'type':'tool_use','id':'1','name':'f','input':{'x':1}}]},{'role':'user','content':"
                        + "[{'type':'tool_result','tool_use_id':'1','content':'done'}]}]}")
                .status())
        .isEqualTo(200);
    assertThat(
            server
                .post(
                    "/v1/responses",
                    "{'max_output_tokens':4,'input':[{'role':'user','content':'a'},{'type':'function_call',"
                        + "'call_id':'1','name':'f','arguments':'{}'},{'type':'function_call_output',"
                        + "'call_id':'1','output':'done'}]}")
                .status())
        .isEqualTo(200);
  }

  @Test
  void aResponseStreamedIsTheSameText() {
    String body =
        "{'input':[{'role':'user','content':[{'type':'input_text','text':'Once upon'}]}],"
            + "'instructions':'A tale.','max_output_tokens':8,'seed':1%s}";
    JsonNode whole = server.post("/v1/responses", body.formatted("")).json();
    assertThat(whole.get("status").asString()).isEqualTo("incomplete");
    List<JsonNode> events = server.post("/v1/responses", body.formatted(",'stream':true")).events();
    assertThat(types(events))
        .containsExactly(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete");
    for (int i = 0; i < events.size(); i++) {
      assertThat(events.get(i).get("sequence_number").asInt()).isEqualTo(i);
    }
    var text = new StringBuilder();
    events.stream()
        .filter(e -> e.get("type").asString().equals("response.output_text.delta"))
        .forEach(e -> text.append(e.get("delta").asString()));
    assertThat(text.toString())
        .isEqualTo(whole.get("output").get(0).get("content").get(0).get("text").asString())
        .isNotBlank();
    assertThat(events.getLast().get("response").get("usage")).isEqualTo(whole.get("usage"));
  }

  @Test
  void aResponseKeepsToItsFormat() {
    JsonNode whole =
        server
            .post(
                "/v1/responses",
                "{'input':'x','text':{'format':{'type':'json_schema','name':'n','schema':{'type':'object',"
                    + "'properties':{'a':{'type':'boolean'}},'required':['a']}}}}")
            .json();
    String text = whole.get("output").get(0).get("content").get(0).get("text").asString();
    assertThat(Json.MAPPER.readTree(text).get("a").isBoolean()).isTrue();
  }

  @Test
  void errorsHaveTheFormOfTheirProtocol() {
    var missing = server.post("/v1/messages", "{'messages':[{'role':'user','content':'a'}]}");
    assertThat(missing.status()).isEqualTo(400);
    assertThat(missing.json().get("type").asString()).isEqualTo("error");
    assertThat(missing.json().get("error").get("message").asString()).contains("max_tokens");
    server
        .post("/v1/responses", "{'input':'x','previous_response_id':'y'}")
        .isError(400, "previous_response_id", "nothing is stored");
    server
        .post("/v1/responses", "{'input':[{'type':'image'}]}")
        .isError(400, "input[0].type", "image");
    JsonNode count =
        server
            .post(
                "/v1/messages/count_tokens", "{'messages':[{'role':'user','content':'Once upon'}]}")
            .json();
    assertThat(count.get("input_tokens").asInt()).isPositive();
  }
}
