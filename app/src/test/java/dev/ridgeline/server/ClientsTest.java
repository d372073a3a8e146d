package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs written for OpenAI's service, as they are. */
@Timeout(180)
class ClientsTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String base() {
    return server.server.url() + "/v1";
  }

  @Test
  void langChain4jAnswersStreamsAndCallsTools() throws Exception {
    var model =
        OpenAiChatModel.builder()
            .baseUrl(base())
            .apiKey("none")
            .modelName("target")
            .maxTokens(60)
            .seed(1)
            .build();
    ChatResponse answer = model.chat(UserMessage.from("Once upon a time"));
    assertThat(answer.aiMessage().text()).isNotBlank();
    assertThat(answer.tokenUsage().outputTokenCount()).isPositive();

    var streaming =
        OpenAiStreamingChatModel.builder()
            .baseUrl(base())
            .apiKey("none")
            .modelName("target")
            .maxTokens(60)
            .seed(1)
            .build();
    var whole = new CompletableFuture<ChatResponse>();
    var pieces = new StringBuilder();
    streaming.chat(
        "Once upon a time",
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            pieces.append(piece);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            whole.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            whole.completeExceptionally(error);
          }
        });
    assertThat(whole.get(60, TimeUnit.SECONDS).aiMessage().text())
        .isEqualTo(answer.aiMessage().text())
        .isEqualTo(pieces.toString());

    var place = JsonObjectSchema.builder().addBooleanProperty("north").required("north").build();
    ChatResponse call =
        model.chat(
            ChatRequest.builder()
                .messages(UserMessage.from("How is the weather?"))
                .toolSpecifications(
                    ToolSpecification.builder().name("weather").parameters(place).build())
                .toolChoice(ToolChoice.REQUIRED)
                .build());
    assertThat(call.aiMessage().toolExecutionRequests().getFirst().name()).isEqualTo("weather");
    ChatResponse json =
        model.chat(
            ChatRequest.builder()
                .messages(UserMessage.from("North?"))
                .responseFormat(
                    ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(JsonSchema.builder().name("place").rootElement(place).build())
                        .build())
                .build());
    assertThat(Json.MAPPER.readTree(json.aiMessage().text()).get("north").isBoolean()).isTrue();
  }

  @Test
  void springAiAnswersAndStreams() {
    var model =
        org.springframework.ai.openai.OpenAiChatModel.builder()
            .options(
                org.springframework.ai.openai.OpenAiChatOptions.builder()
                    .baseUrl(base())
                    .apiKey("none")
                    .model("target")
                    .maxTokens(20)
                    .seed(1)
                    .build())
            .build();
    String text = model.call("Once upon a time");
    assertThat(text).isNotBlank();
    String streamed =
        String.join(
            "",
            model.stream("Once upon a time").collectList().block(java.time.Duration.ofSeconds(60)));
    assertThat(streamed).isEqualTo(text);
  }

  private static final String NODE =
      """
      import OpenAI from 'openai';
      const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
      const messages = [{ role: 'user', content: 'Once upon a time' }];
      const check = (good, what) => { if (!good) throw new Error(what); console.log('ok ' + what); };
      const models = await client.models.list();
      check(models.data.length === 1, 'models');
      const whole = await client.chat.completions.create({ model: 'x', messages, max_tokens: 20, seed: 1 });
      check(whole.choices[0].message.content.length > 0 && whole.usage.completion_tokens === 20, 'chat');
      let text = '';
      const stream = await client.chat.completions.create({ model: 'x', messages, max_tokens: 20, seed: 1, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
      check(text === whole.choices[0].message.content, 'chat streamed');
      const completion = await client.completions.create({ model: 'x', prompt: 'Once', max_tokens: 5, n: 2 });
      check(completion.choices.length === 2, 'completions');
      const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] } } }];
      const runner = client.chat.completions.stream({ model: 'x', messages, tools, tool_choice: 'required', parallel_tool_calls: false, max_tokens: 100, seed: 1 });
      const called = await runner.finalChatCompletion();
      check(typeof JSON.parse(called.choices[0].message.tool_calls[0].function.arguments).a === 'boolean', 'tools streamed');
      const response = await client.responses.create({ model: 'x', input: 'Once upon a time', max_output_tokens: 20 });
      check(response.output_text.length > 0, 'responses');
      let streamed = '';
      for await (const event of await client.responses.create({ model: 'x', input: 'Once', max_output_tokens: 20, stream: true }))
        if (event.type === 'response.output_text.delta') streamed += event.delta;
      check(streamed.length > 0, 'responses streamed');
      let error;
      try { await client.chat.completions.create({ model: 'x', messages, top_p: 7 }); } catch (e) { error = e; }
      check(error instanceof OpenAI.BadRequestError && error.param === 'top_p', 'errors');
      const abort = await client.chat.completions.create({ model: 'x', messages, max_tokens: 400, stream: true });
      for await (const chunk of abort) { abort.controller.abort(); break; }
      check(true, 'abort');
      """;

  /** Needs node, and the package from its registry or npm's cache. */
  @Test
  void openAisOwnNodePackageWorks(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("client.mjs"), NODE);
    Files.writeString(folder.resolve("package.json"), "{\"dependencies\":{\"openai\":\"7.57.0\"}}");
    Assumptions.assumeTrue(
        run(folder, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline").status == 0,
        "needs node and the package openai");
    Outcome outcome = run(folder, "node", "client.mjs", base());
    assertThat(outcome.status).as(outcome.text).isZero();
    assertThat(outcome.text.lines().filter(l -> l.startsWith("ok "))).hasSize(9);
  }

  private record Outcome(int status, String text) {}

  private static Outcome run(Path folder, String... command) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
      try (InputStream in = process.getInputStream()) {
        String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), text);
      }
    } catch (IOException e) {
      return new Outcome(127, String.valueOf(e.getMessage()));
    }
  }
}
