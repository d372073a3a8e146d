package dev.ridgeline.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.Message;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.scheduler.TokenStream;
import java.util.List;
import java.util.Set;

/**
 * An engine as LangChain4j's chat model, without a server in between; for any number of requests
 * from any threads. Texts only: tools and formats are refused by name ({@code ridgeline serve} has
 * them, for LangChain4j's OpenAI client). The engine's file must have a chat template. The engine
 * is the caller's, who closes it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.open(Path.of("model.gguf"))) {
 *   ChatModel model = new RidgelineChatModel(engine);
 *   System.out.println(model.chat("Hello"));
 * }
 * }</pre>
 */
public final class RidgelineChatModel implements ChatModel, StreamingChatModel {
  private final Engine engine;

  /** Chats with {@code engine}. */
  public RidgelineChatModel(Engine engine) {
    this.engine = engine;
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    try (TokenStream stream = start(request)) {
      var completion = stream.collect();
      return response(completion.text(), completion.stats());
    }
  }

  /** Answers in a thread of its own. */
  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    TokenStream stream = start(request);
    Thread.ofVirtual()
        .name("ridgeline-langchain4j")
        .start(
            () -> {
              try (stream) {
                var text = new StringBuilder();
                for (Token token : stream) {
                  text.append(token.text());
                  if (!token.text().isEmpty()) {
                    handler.onPartialResponse(token.text());
                  }
                }
                handler.onCompleteResponse(response(text.toString(), stream.stats()));
              } catch (RuntimeException e) {
                handler.onError(e);
              }
            });
  }

  private TokenStream start(ChatRequest request) {
    return engine.chat(
        params(request.parameters()),
        request.messages().stream().map(RidgelineChatModel::message).toArray(Message[]::new));
  }

  private static Message message(ChatMessage message) {
    return switch (message) {
      case SystemMessage m -> Message.system(m.text());
      case UserMessage m when m.hasSingleText() -> Message.user(m.singleText());
      case AiMessage m when !m.hasToolExecutionRequests() -> Message.assistant(m.text());
      default ->
          throw new UnsupportedFeatureException(
              "expected messages of text, found one of type " + message.type());
    };
  }

  private static GenerateParams params(ChatRequestParameters wanted) {
    if (wanted.toolSpecifications() != null && !wanted.toolSpecifications().isEmpty()) {
      throw new UnsupportedFeatureException("tools are not supported in process");
    }
    if (wanted.responseFormat() != null
        && wanted.responseFormat().type() != ResponseFormatType.TEXT) {
      throw new UnsupportedFeatureException("formats of answers are not supported in process");
    }
    var sampling = SamplingParams.DEFAULTS.toBuilder();
    if (wanted.temperature() != null) {
      sampling.temperature(wanted.temperature().floatValue());
    }
    if (wanted.topP() != null) {
      sampling.topP(wanted.topP().floatValue());
    }
    if (wanted.topK() != null) {
      sampling.topK(wanted.topK());
    }
    var params = GenerateParams.builder().sampling(sampling.build());
    if (wanted.maxOutputTokens() != null) {
      params.maxTokens(wanted.maxOutputTokens());
    }
    if (wanted.stopSequences() != null) {
      params.stop(wanted.stopSequences().toArray(String[]::new));
    }
    return params.build();
  }

  private ChatResponse response(String text, RequestStats stats) {
    return ChatResponse.builder()
        .aiMessage(AiMessage.from(text))
        .modelName(engine.model().name())
        .tokenUsage(new TokenUsage(stats.promptTokens(), stats.generatedTokens()))
        .finishReason(
            switch (stats.finishReason()) {
              case STOP -> FinishReason.STOP;
              case LENGTH -> FinishReason.LENGTH;
              case CANCELLED, DEADLINE, ERROR -> FinishReason.OTHER;
            })
        .build();
  }

  // Both interfaces have these.

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return ChatModel.super.defaultRequestParameters();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return List.of();
  }

  @Override
  public ModelProvider provider() {
    return ModelProvider.OTHER;
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of();
  }
}
