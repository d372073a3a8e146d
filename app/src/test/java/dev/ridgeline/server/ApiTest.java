package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.server.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The routes as clients use them, on the built-in model. */
@Timeout(300)
class ApiTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String joined(List<JsonNode> events, int index) {
    var text = new StringBuilder();
    for (JsonNode event : events) {
      for (JsonNode choice : event.get("choices")) {
        if (choice.get("index").asInt() == index) {
          text.append(choice.path("text").asString(""));
          text.append(choice.path("delta").path("content").asString(""));
        }
      }
    }
    return text.toString();
  }

  /** The text that the {@code bytes} of tokens spell, each a number of 0 to 255. */
  private static String spelled(JsonNode tokens) {
    var bytes = new ByteArrayOutputStream();
    for (JsonNode token : tokens) {
      for (JsonNode b : token.get("bytes")) {
        assertThat(b.intValue()).isBetween(0, 255);
        bytes.write(b.intValue());
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aCompletionStreamedIsTheSameText() {
    String body = "'prompt':'Once upon a time','max_tokens':12,'seed':3";
    JsonNode whole = server.post("/v1/completions", "{" + body + "}").json();
    List<JsonNode> events =
        server
            .post(
                "/v1/completions",
                "{" + body + ",'stream':true,'stream_options':{'include_usage':true}}")
            .events();

    String text = whole.get("choices").get(0).get("text").asString();
    assertThat(text).isNotBlank();
    assertThat(joined(events, 0)).isEqualTo(text);
    JsonNode usage = whole.get("usage");
    assertThat(usage.get("prompt_tokens").asInt()).isEqualTo(5);
    assertThat(usage.get("completion_tokens").asInt()).isEqualTo(12);
    assertThat(usage.get("total_tokens").asInt()).isEqualTo(17);
    assertThat(events.getLast().get("usage")).isEqualTo(usage);
    assertThat(whole.get("choices").get(0).get("finish_reason").asString()).isEqualTo("length");
  }

  @Test
  void severalPromptsAndSeveralChoicesComeInOrderAndDiffer() {
    String body =
        "{'prompt':['The king','The queen'],'n':2,'max_tokens':8,'seed':5,'temperature':1.5%s}";
    JsonNode whole = server.post("/v1/completions", body.formatted("")).json();
    List<JsonNode> events =
        server.post("/v1/completions", body.formatted(",'stream':true")).events();
    var texts = new ArrayList<String>();
    for (int i = 0; i < 4; i++) {
      JsonNode choice = whole.get("choices").get(i);
      assertThat(choice.get("index").asInt()).isEqualTo(i);
      texts.add(choice.get("text").asString());
      assertThat(joined(events, i)).isEqualTo(texts.get(i));
    }
    assertThat(new HashSet<>(texts)).hasSize(4);
    // BOS and the words of both prompts, each once
    assertThat(whole.get("usage").get("prompt_tokens").asInt()).isEqualTo(6);
  }

  @Test
  void tokenIdsAsAPromptGiveWhatTheirTextGives() {
    JsonNode ids =
        server.post("/tokenize", "{'content':'Once upon a time','add_special':true}").json();
    String byIds =
        server
            .post(
                "/v1/completions",
                "{'prompt':%s,'max_tokens':8,'temperature':0}".formatted(ids.get("tokens")))
            .json()
            .get("choices")
            .get(0)
            .get("text")
            .asString();
    JsonNode byText =
        server
            .post(
                "/v1/completions",
                "{'prompt':'Once upon a time','max_tokens':8,'temperature':0,'echo':true}")
            .json();
    assertThat(byText.get("choices").get(0).get("text").asString())
        .isEqualTo("Once upon a time" + byIds);
  }

  @Test
  void aChatAnswersInOpenAisForm() {
    String body =
        "{'model':'x','messages':[{'role':'system','content':'A tale.'},{'role':'user','content':"
            + "[{'type':'text','text':'Once upon'},{'type':'text','text':'a time'}]}],"
            + "'max_completion_tokens':6,'seed':1,'logprobs':true,'top_logprobs':2,'unknown':{}%s}";
    JsonNode whole = server.post("/v1/chat/completions", body.formatted("")).json();
    JsonNode choice = whole.get("choices").get(0);
    assertThat(whole.get("object").asString()).isEqualTo("chat.completion");
    assertThat(whole.get("id").asString()).startsWith("chatcmpl-");
    assertThat(choice.get("message").get("role").asString()).isEqualTo("assistant");
    assertThat(choice.get("logprobs").get("content").size()).isEqualTo(6);
    assertThat(spelled(choice.get("logprobs").get("content")))
        .isEqualTo(choice.get("message").get("content").asString());
    assertThat(choice.get("logprobs").get("content").get(0).get("top_logprobs").size())
        .isEqualTo(2);
    List<JsonNode> events =
        server.post("/v1/chat/completions", body.formatted(",'stream':true")).events();
    assertThat(joined(events, 0)).isEqualTo(choice.get("message").get("content").asString());
    assertThat(events.getFirst().get("choices").get(0).get("delta").get("role").asString())
        .isEqualTo("assistant");
    assertThat(events.getLast().get("choices").get(0).get("finish_reason").asString())
        .isEqualTo("length");
  }

  @Test
  void aStopStringEndsTheTextBeforeItAndCachedTokensAreTold() {
    String prompt = "It was a long day. ".repeat(20);
    String body = "{'prompt':'" + prompt + "','max_tokens':40,'seed':2,'stop':%s}";
    String all =
        server
            .post("/v1/completions", body.formatted("[]"))
            .json()
            .get("choices")
            .get(0)
            .get("text")
            .asString();
    String stop = all.substring(20, 24);
    JsonNode stopped =
        server
            .postExact(
                "/v1/completions", body.replace('\'', '"').formatted(Json.text(List.of(stop))))
            .json();
    JsonNode choice = stopped.get("choices").get(0);
    assertThat(choice.get("text").asString()).isEqualTo(all.substring(0, all.indexOf(stop)));
    assertThat(choice.get("finish_reason").asString()).isEqualTo("stop");
    assertThat(stopped.get("usage").get("prompt_tokens_details").get("cached_tokens").asInt())
        .isGreaterThanOrEqualTo(64);
  }

  @Test
  void logitBiasForbidsATokenInBothForms() {
    String free =
        "{'prompt':'Once upon a','max_tokens':1,'temperature':0,'logprobs':0,'logit_bias':%s}";
    JsonNode chosen = server.post("/v1/completions", free.formatted("{}")).json();
    String word = chosen.get("choices").get(0).get("text").asString();
    int id =
        server
            .postExact("/tokenize", "{\"content\":" + Json.text(word.strip()) + "}")
            .json()
            .get("tokens")
            .get(0)
            .asInt();
    for (String bias : List.of("{'" + id + "':-100}", "[[" + id + ",false]]")) {
      assertThat(
              server
                  .post("/v1/completions", free.formatted(bias))
                  .json()
                  .get("choices")
                  .get(0)
                  .get("text")
                  .asString())
          .isNotEqualTo(word);
    }
  }

  @Test
  void tokenizeAndDetokenizeAreInverse() {
    JsonNode tokens =
        server.post("/tokenize", "{'content':'Once upon a time','with_pieces':true}").json();
    assertThat(tokens.get("tokens").get(0).get("piece").asString()).isEqualTo(" Once");
    JsonNode ids = server.post("/tokenize", "{'content':'Once upon a time'}").json();
    JsonNode text = server.post("/detokenize", "{'tokens':" + ids.get("tokens") + "}").json();
    assertThat(text.get("content").asString()).isEqualTo("Once upon a time");
    assertThat(
            server
                .post("/apply-template", "{'messages':[{'role':'user','content':'Hi'}]}")
                .json()
                .get("prompt")
                .asString())
        .isEqualTo("Hi\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/completions | {'prompt':5} | prompt | found 5",
        "/v1/completions | {} | prompt | missing",
        "/v1/completions | {'prompt':[1,'x']} | prompt[1] | token id",
        "/v1/completions | {'prompt':[99999999]} | prompt | 0 to 16383",
        "/v1/completions | {'prompt':'a','max_tokens':'7'} | max_tokens | whole number",
        "/v1/completions | {'prompt':'a','max_tokens':0} | max_tokens | 1 or more",
        "/v1/completions | {'prompt':'a','top_p':7} | top_p | 0.0 to 1.0",
        "/v1/completions | {'prompt':'a','temperature':true} | temperature | a number",
        "/v1/completions | {'prompt':'a','stop':[1]} | stop[0] | a string",
        "/v1/completions | {'prompt':'a','stop':['']} | stop | 1 to 1000",
        "/v1/completions | {'prompt':'a','n':1000} | n | 1 to 128",
        "/v1/completions | {'prompt':'a','stream':'yes'} | stream | a boolean",
        "/v1/completions | {'prompt':'a','logit_bias':{'x':1}} | logit_bias | token ids",
        "/v1/completions | {'prompt':'a','dry_base':0} | dry.base | 1.0 to",
        "/v1/completions | {'prompt':'a','seed':1.5} | seed | whole number",
        "/v1/chat/completions | {} | messages | at least one",
        "/v1/chat/completions | {'messages':{}} | messages | an array",
        "/v1/chat/completions | {'messages':[{'role':'pope','content':''}]} | messages[0].role |"
            + " pope",
        "/v1/chat/completions | {'messages':[{'role':'user'}]} | messages[0].content | missing",
        "/v1/chat/completions | {'messages':[{'role':'user','content':[{'type':'image_url'}]}]} |"
            + " messages[0].content[0].type | image_url",
        "/tokenize | {'content':[]} | content | a string",
        "/detokenize | {'tokens':[-1]} | tokens[0] | 0 to 16383",
      })
  void aWrongFieldIsNamed(String path, String body, String param, String part) {
    server.post(path, body).isError(400, param, part);
  }

  @Test
  void aPromptLongerThanTheContextIsRefused() {
    server
        .post("/v1/completions", "{'prompt':'" + "a b c ".repeat(600) + "'}")
        .isError(400, "prompt", "the context is 512");
  }

  @Test
  void whatIsNoJsonIsRefusedWithItsPlace() {
    server.postExact("/v1/completions", "{\"prompt\":\n}").isError(400, "", "line 2");
    server.postExact("/v1/completions", "[]").isError(400, "", "found an array");
    server.postExact("/v1/completions", "").isError(400, "", "found nothing");
    server.postExact("/v1/completions", "[".repeat(200)).isError(400, "", "depth");
    server
        .postExact("/v1/completions", "{\"prompt\":\"a\",\"prompt\":\"b\"}")
        .isError(400, "", "prompt");
    Answer form =
        server.send(
            server
                .request("/v1/completions")
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                .build());
    form.isError(415, "", "application/json");
  }

  @Test
  void headersThatAreTooLargeAreRefusedWithTheLimit() {
    server
        .send(server.request("/v1/models").header("X-Large", "x".repeat(100_000)).build())
        .isError(400, "", "bytes of headers");
  }

  @Test
  void errorsHaveAllFieldsOfOpenAisForm() {
    JsonNode error = server.get("/v1/nothing").json().get("error");
    assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
    assertThat(error.get("param").isNull()).isTrue();
  }

  @Test
  void theMostTokensMayHaveAnyOfTheirNames() {
    for (String name : List.of("max_tokens", "max_completion_tokens", "n_predict")) {
      JsonNode usage =
          server
              .post("/v1/completions", "{'prompt':'a','ignore_eos':true,'%s':3}".formatted(name))
              .json()
              .get("usage");
      assertThat(usage.get("completion_tokens").asInt()).isEqualTo(3);
    }
  }

  @Test
  void anotherRouteOrMethodIsAnErrorOfTheSameForm() {
    server.get("/v1/nothing").isError(404, "", "/v1/nothing");
    server.get("/v1/completions").isError(405, "", "POST");
    server.get("/v1/models/nobody").isError(404, "", "nobody");
    JsonNode models = server.get("/v1/models").json();
    String name = models.get("data").get(0).get("id").asString();
    assertThat(server.get("/v1/models/" + name).json().get("id").asString()).isEqualTo(name);
  }
}
