package dev.ridgeline.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.Message;
import dev.ridgeline.scheduler.TinyFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RidgelineChatModelTest {
  private static final ChatRequest.Builder HELLO =
      ChatRequest.builder()
          .messages(SystemMessage.from("be"), UserMessage.from("hi"))
          .temperature(0.0)
          .maxOutputTokens(12);

  private Engine engine;
  private RidgelineChatModel model;

  @BeforeEach
  void open(@TempDir Path folder) throws IOException {
    EngineOptions options =
        EngineOptions.builder().backend("reference").batchTokens(64).parallel(2).build();
    engine = Engine.open(TinyFile.write(folder), options);
    model = new RidgelineChatModel(engine);
  }

  @AfterEach
  void close() {
    engine.close();
  }

  @Test
  void itAnswersAsTheEngineDoesStreamedOrNot() {
    GenerateParams greedy =
        GenerateParams.builder()
            .sampling(SamplingParams.DEFAULTS.toBuilder().temperature(0).build())
            .maxTokens(12)
            .build();
    String expected =
        engine.chat(greedy, Message.system("be"), Message.user("hi")).collect().text();
    ChatResponse whole = model.chat(HELLO.build());
    assertThat(whole.aiMessage().text()).isEqualTo(expected).isNotEmpty();
    assertThat(whole.tokenUsage().outputTokenCount()).isBetween(1, 12);
    assertThat(whole.finishReason()).isIn(FinishReason.LENGTH, FinishReason.STOP);

    var text = new StringBuilder();
    var done = new CompletableFuture<ChatResponse>();
    model.chat(
        HELLO.build(),
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            text.append(piece);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            done.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            done.completeExceptionally(error);
          }
        });
    assertThat(done.join().aiMessage().text()).isEqualTo(expected);
    assertThat(text.toString()).isEqualTo(expected);
  }

  @Test
  void whatItCannotDoIsRefusedByName() {
    ChatRequest tools =
        ChatRequest.builder()
            .messages(UserMessage.from("hi"))
            .toolSpecifications(ToolSpecification.builder().name("f").build())
            .build();
    assertThatThrownBy(() -> model.chat(tools))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("tools");
  }
}
