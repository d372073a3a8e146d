package dev.ridgeline.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.ridgeline.sampler.Logprobs;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.FinishReason;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions}: answers to conversations. */
final class ChatEndpoint {
  static final int MAX_TOP_LOGPROBS = 20;

  private ChatEndpoint() {}

  private record Answer(
      String id,
      String object,
      long created,
      String model,
      List<Choice> choices,
      @Nullable Usage usage) {}

  private record Choice(
      int index,
      @Nullable Message message,
      @Nullable Message delta,
      @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable Probabilities logprobs,
      @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable String finishReason) {}

  /** A whole message, or what one grows by. */
  record Message(
      @Nullable String role,
      @Nullable String content,
      @Nullable String reasoningContent,
      @Nullable List<ToolCall> toolCalls) {}

  /** A call, or what one grows by. */
  record ToolCall(
      @Nullable Integer index, @Nullable String id, @Nullable String type, Function function) {
    /** Its arguments are JSON text. */
    record Function(@Nullable String name, String arguments) {}
  }

  private record Probabilities(List<Probability> content) {}

  /** A token with its probability and bytes, and at the outer level those of the likeliest ones. */
  record Probability(
      String token, float logprob, int[] bytes, @Nullable List<Probability> topLogprobs) {
    static Probability of(Tokenizer tokenizer, int id, Logprobs logprobs) {
      var top = new ArrayList<Probability>();
      for (int i = 0; i < logprobs.topIds().length; i++) {
        top.add(of(tokenizer, logprobs.topIds()[i], logprobs.top()[i], null));
      }
      return of(tokenizer, id, logprobs.chosen(), top);
    }

    private static Probability of(
        Tokenizer tokenizer, int id, float logprob, @Nullable List<Probability> top) {
      byte[] signed = tokenizer.bytes(id);
      int[] bytes = IntStream.range(0, signed.length).map(i -> signed[i] & 0xFF).toArray();
      return new Probability(tokenizer.piece(id), logprob, bytes, top);
    }
  }

  static void handle(Exchange exchange) {
    Fields body = exchange.body();
    Core core = exchange.core();
    Engine engine = core.engine();
    core.checkModel(body);
    int top = body.integer("top_logprobs", 0, MAX_TOP_LOGPROBS, 0);
    int logprobs = body.bool("logprobs", false) ? top : -1;
    int n = body.integer("n", 1, core.settings.limits().choices(), 1);
    GenerateParams params =
        GenerateFields.read(exchange, body, logprobs, GenerateFields.maxTokens(body));
    ChatPlan plan = ChatPlan.of(exchange, body, params);
    boolean stream = body.bool("stream", false);
    boolean usage = StreamOptions.includeUsage(body);
    try (Generation generation =
        Generation.start(exchange, List.of(plan.prompt()), n, plan.params())) {
      var writer = new Writer(exchange, engine.tokenizer(), n, plan);
      if (stream) {
        writer.stream(generation, usage);
      } else {
        generation.run(writer.collector());
        exchange.send(writer.whole());
      }
    }
  }

  /** Puts tokens into the form of the answer. */
  private static final class Writer {
    private final Exchange exchange;
    private final Tokenizer tokenizer;
    private final ChatAnswer[] answers;
    private final @Nullable List<Probability>[] probabilities;
    private final RequestStats[] stats;
    private final boolean[] begun;

    @SuppressWarnings({"unchecked", "rawtypes"})
    Writer(Exchange exchange, Tokenizer tokenizer, int n, ChatPlan plan) {
      this.exchange = exchange;
      this.tokenizer = tokenizer;
      answers = new ChatAnswer[n];
      Arrays.setAll(answers, _ -> new ChatAnswer(plan.reader()));
      probabilities = new List[n];
      stats = new RequestStats[n];
      begun = new boolean[n];
    }

    Generation.Listener collector() {
      return new Generation.Listener() {
        @Override
        public void onToken(int index, Token token) {
          take(index, token);
        }

        @Override
        public void onEnd(int index, RequestStats of) {
          stats[index] = of;
          answers[index].finish();
        }
      };
    }

    private List<Delta> take(int index, Token token) {
      Logprobs logprobs = token.logprobs();
      if (logprobs != null) {
        List<Probability> all = probabilities[index];
        if (all == null) {
          all = new ArrayList<>();
          probabilities[index] = all;
        }
        all.add(Probability.of(tokenizer, token.id(), logprobs));
      }
      return answers[index].accept(token.text());
    }

    private static String reason(ChatAnswer answer, FinishReason reason) {
      return answer.hasCalls() && reason != FinishReason.LENGTH
          ? "tool_calls"
          : CompletionsEndpoint.reason(reason);
    }

    private @Nullable Probabilities probabilities(int index) {
      List<Probability> all = probabilities[index];
      probabilities[index] = null;
      return all == null ? null : new Probabilities(all);
    }

    Answer whole() {
      var choices = new ArrayList<Choice>();
      for (int i = 0; i < answers.length; i++) {
        choices.add(
            new Choice(
                i,
                answers[i].message(),
                null,
                probabilities(i),
                reason(answers[i], stats[i].finishReason())));
      }
      return answer("chat.completion", choices, Usage.of(List.of(stats), stats.length));
    }

    private Answer answer(String object, List<Choice> choices, @Nullable Usage usage) {
      return new Answer(
          "chatcmpl-" + exchange.line().id(),
          object,
          exchange.core().createdSeconds(),
          exchange.core().model(),
          choices,
          usage);
    }

    void stream(Generation generation, boolean usage) {
      StreamedAnswer.run(
          exchange,
          generation,
          sse ->
              new Generation.Listener() {
                @Override
                public void onToken(int index, Token token) {
                  begin(sse.get(), index);
                  take(index, token).forEach(d -> send(sse.get(), index, d));
                }

                @Override
                public void onEnd(int index, RequestStats of) {
                  stats[index] = of;
                  begin(sse.get(), index);
                  answers[index].finish().forEach(d -> send(sse.get(), index, d));
                  chunk(
                      sse.get(),
                      index,
                      new Message(null, null, null, null),
                      reason(answers[index], of.finishReason()));
                }
              },
          sse -> {
            if (usage) {
              sse.add(
                  answer(
                      "chat.completion.chunk", List.of(), Usage.of(List.of(stats), stats.length)));
            }
            sse.done();
          });
    }

    private void begin(Sse sse, int index) {
      if (!begun[index]) {
        begun[index] = true;
        chunk(sse, index, new Message("assistant", "", null, null), null);
      }
    }

    private void send(Sse sse, int index, Delta delta) {
      chunk(
          sse,
          index,
          switch (delta) {
            case Delta.Content d -> new Message(null, d.text(), null, null);
            case Delta.Reasoning d -> new Message(null, null, d.text(), null);
            case Delta.Call d ->
                message(
                    new ToolCall(
                        d.index(), d.id(), "function", new ToolCall.Function(d.name(), "")));
            case Delta.Arguments d ->
                message(new ToolCall(d.index(), null, null, new ToolCall.Function(null, d.json())));
          },
          null);
    }

    private static Message message(ToolCall call) {
      return new Message(null, null, null, List.of(call));
    }

    private void chunk(Sse sse, int index, Message delta, @Nullable String reason) {
      // The probabilities of tokens whose text is held back go with the next chunk.
      sse.add(
          answer(
              "chat.completion.chunk",
              List.of(new Choice(index, null, delta, probabilities(index), reason)),
              null));
    }
  }
}
