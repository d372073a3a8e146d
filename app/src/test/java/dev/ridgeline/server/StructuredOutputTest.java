package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Answers of a given form, from a model that knows nothing of JSON. */
@Timeout(120)
class StructuredOutputTest {
  private static final String SCHEMA =
      "{'type':'object','properties':{'name':{'type':'string','maxLength':12},'age':"
          + "{'type':'integer','minimum':0,'maximum':120},'kind':{'enum':['cat','dog']}},"
          + "'required':['name','age','kind']}";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String answer(String format, int seed) {
    JsonNode json =
        server
            .post(
                "/v1/chat/completions",
                "{'messages':[{'role':'user','content':'Tell me.'}],'max_tokens':200,'seed':%d,%s}"
                    .formatted(seed, format))
            .json();
    assertThat(json.path("choices").path(0).path("finish_reason").asString(""))
        .as(json.toString())
        .isEqualTo("stop");
    return json.get("choices").get(0).get("message").get("content").asString();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aSchemaIsKeptToWhateverTheModelWouldSay(int seed) {
    JsonNode json =
        Json.MAPPER.readTree(
            answer(
                "'response_format':{'type':'json_schema','json_schema':{'name':'x','strict':true,'schema':"
                    + SCHEMA
                    + "}}",
                seed));
    assertThat(json.propertyNames()).containsExactly("name", "age", "kind");
    assertThat(json.get("name").asString().codePointCount(0, json.get("name").asString().length()))
        .isLessThanOrEqualTo(12);
    assertThat(json.get("age").asInt()).isBetween(0, 120);
    assertThat(json.get("kind").asString()).isIn("cat", "dog");
  }

  @Test
  void aGrammarIsKeptTo() {
    assertThat(answer("'grammar':'root ::= [A-Z] [a-z]{3,9} ([ ] [a-z]{2,8}){2} [.]'", 1))
        .matches("[A-Z][a-z]{3,9}( [a-z]{2,8}){2}\\.");
  }

  @Test
  void anObjectBeginsWhereOneIsAskedForAlsoInCompletions() {
    JsonNode json =
        server
            .post(
                "/v1/completions",
                "{'prompt':'The"
                    + " data:','max_tokens':60,'seed':4,'response_format':{'type':'json_object'}}")
            .json();
    assertThat(json.get("choices").get(0).get("text").asString()).startsWith("{");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'grammar':'root := x' | grammar | line 1, column 6",
        "'grammar':7 | grammar | a string",
        "'response_format':{'type':'xml'} | response_format.type | found 'xml'",
        "'response_format':{'type':'json_schema','json_schema':{'schema':{'not':{}}}} |"
            + " response_format | cannot be enforced",
        "'response_format':{'type':'json_schema'} | response_format.schema | missing",
        "'json_schema':{'type':'string','pattern':'(?<n>a)'} | json_schema | cannot be enforced",
      })
  void whatCannotBeEnforcedIsRefused(String field, String param, String part) {
    server
        .post("/v1/chat/completions", "{'messages':[{'role':'user','content':'x'}]," + field + "}")
        .isError(400, param, part);
  }
}
