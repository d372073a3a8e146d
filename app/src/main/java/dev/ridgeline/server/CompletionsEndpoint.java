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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/completions}: texts after prompts. */
final class CompletionsEndpoint {
  private static final int MAX_LOGPROBS = 20;

  private CompletionsEndpoint() {}

  private record Answer(
      String id,
      String object,
      long created,
      String model,
      List<Choice> choices,
      @Nullable Usage usage) {}

  private record Choice(
      int index,
      String text,
      @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable Probabilities logprobs,
      @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable String finishReason) {}

  private record Probabilities(
      List<String> tokens,
      List<Float> tokenLogprobs,
      List<Map<String, Float>> topLogprobs,
      List<Integer> textOffset) {}

  static void handle(Exchange exchange) {
    Fields body = exchange.body();
    Core core = exchange.core();
    Engine engine = core.engine();
    core.checkModel(body);
    if (!body.string("suffix", "").isEmpty()) {
      throw body.invalid("suffix", "is not supported; put the whole prompt into 'prompt'");
    }
    List<String> texts = new ArrayList<>();
    List<int[]> prompts = prompts(engine, body, texts);
    int n = body.integer("n", 1, core.settings.limits().choices(), 1);
    int logprobs = body.integer("logprobs", 0, MAX_LOGPROBS, -1);
    boolean echo = body.bool("echo", false);
    if (echo && logprobs >= 0) {
      throw body.invalid("echo", "cannot be combined with 'logprobs'");
    }
    GenerateParams params =
        core.constraints()
            .apply(
                Constraints.form(body),
                GenerateFields.read(exchange, body, logprobs, GenerateFields.maxTokens(body)));
    boolean stream = body.bool("stream", false);
    boolean usage = StreamOptions.includeUsage(body);
    try (Generation generation = Generation.start(exchange, prompts, n, params)) {
      var writer = new Writer(exchange, engine.tokenizer(), generation.answers(), n);
      if (echo) {
        writer.echo(texts);
      }
      if (stream) {
        writer.stream(generation, usage);
      } else {
        generation.run(writer.collector());
        exchange.send(writer.whole());
      }
    }
  }

  /** A text, some texts, the ids of a prompt or those of some. */
  private static List<int[]> prompts(Engine engine, Fields body, List<String> texts) {
    JsonNode prompt = body.any("prompt");
    if (prompt == null) {
      throw body.missing("prompt", "a string, an array of strings, or token ids");
    }
    var all = new ArrayList<int[]>();
    if (prompt.isString()) {
      add(engine, all, texts, prompt.asString());
      return all;
    }
    if (!prompt.isArray()) {
      throw body.wrong("prompt", "a string, an array of strings, or token ids", prompt);
    }
    List<JsonNode> array = body.array("prompt");
    if (array.isEmpty()) {
      throw body.invalid("prompt", "is an empty array");
    }
    if (array.getFirst().isNumber()) {
      all.add(Fields.ids(prompt, "prompt"));
      texts.add(decode(engine, all.getFirst()));
      return all;
    }
    for (int i = 0; i < array.size(); i++) {
      JsonNode element = array.get(i);
      if (element.isString()) {
        add(engine, all, texts, element.asString());
      } else if (element.isArray()) {
        all.add(Fields.ids(element, "prompt[" + i + "]"));
        texts.add(decode(engine, all.getLast()));
      } else {
        throw body.wrong("prompt[" + i + "]", "a string or an array of token ids", element);
      }
    }
    return all;
  }

  private static void add(Engine engine, List<int[]> all, List<String> texts, String text) {
    all.add(GenerateFields.encode(engine.tokenizer(), text));
    texts.add(text);
  }

  private static String decode(Engine engine, int[] ids) {
    Tokenizer tokenizer = engine.tokenizer();
    for (int id : ids) {
      if (id < 0 || id >= tokenizer.size()) {
        throw ApiException.invalid(
            "prompt",
            "prompt: expected token ids of 0 to %d, found %d".formatted(tokenizer.size() - 1, id));
      }
    }
    return tokenizer.decode(ids);
  }

  static String reason(FinishReason reason) {
    return reason == FinishReason.LENGTH ? "length" : "stop";
  }

  /** Puts tokens into the form of the answer. */
  private static final class Writer {
    private final Exchange exchange;
    private final Tokenizer tokenizer;
    private final int n;
    private final StringBuilder[] texts;
    private final int[] offsets;
    private final @Nullable Probabilities[] probabilities;
    private final RequestStats[] stats;

    Writer(Exchange exchange, Tokenizer tokenizer, int answers, int n) {
      this.exchange = exchange;
      this.tokenizer = tokenizer;
      this.n = n;
      texts = new StringBuilder[answers];
      Arrays.setAll(texts, _ -> new StringBuilder());
      offsets = new int[answers];
      probabilities = new Probabilities[answers];
      stats = new RequestStats[answers];
    }

    void echo(List<String> prompts) {
      for (int i = 0; i < texts.length; i++) {
        texts[i].append(prompts.get(i / n));
      }
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
        }
      };
    }

    private void take(int index, Token token) {
      Logprobs logprobs = token.logprobs();
      if (logprobs != null) {
        Probabilities p = probabilities[index];
        if (p == null) {
          p =
              new Probabilities(
                  new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
          probabilities[index] = p;
        }
        p.tokens.add(tokenizer.piece(token.id()));
        p.tokenLogprobs.add(logprobs.chosen());
        var top = new LinkedHashMap<String, Float>();
        for (int i = 0; i < logprobs.topIds().length; i++) {
          top.put(tokenizer.piece(logprobs.topIds()[i]), logprobs.top()[i]);
        }
        p.topLogprobs.add(top);
        p.textOffset.add(offsets[index]);
      }
      texts[index].append(token.text());
      offsets[index] += token.text().length();
    }

    Answer whole() {
      var choices = new ArrayList<Choice>();
      for (int i = 0; i < texts.length; i++) {
        choices.add(
            new Choice(i, texts[i].toString(), probabilities[i], reason(stats[i].finishReason())));
      }
      return answer(choices, Usage.of(List.of(stats), n));
    }

    private Answer answer(List<Choice> choices, @Nullable Usage usage) {
      return new Answer(
          "cmpl-" + exchange.line().id(),
          "text_completion",
          exchange.core().createdSeconds(),
          exchange.core().model(),
          choices,
          usage);
    }

    void stream(Generation generation, boolean usage) {
      StreamedAnswer.run(
          exchange,
          generation,
          (sse) ->
              new Generation.Listener() {
                @Override
                public void onToken(int index, Token token) {
                  take(index, token);
                  flush(sse.get(), index, null);
                }

                @Override
                public void onEnd(int index, RequestStats of) {
                  stats[index] = of;
                  flush(sse.get(), index, reason(of.finishReason()));
                }
              },
          sse -> {
            if (usage) {
              sse.add(answer(List.of(), Usage.of(List.of(stats), n)));
            }
            sse.done();
          });
    }

    /** Sends what has come of an answer since the last time. */
    private void flush(Sse sse, int index, @Nullable String reason) {
      Probabilities p = probabilities[index];
      if (texts[index].isEmpty() && reason == null && p == null) {
        return;
      }
      sse.add(answer(List.of(new Choice(index, texts[index].toString(), p, reason)), null));
      texts[index].setLength(0);
      probabilities[index] = null;
    }
  }
}
