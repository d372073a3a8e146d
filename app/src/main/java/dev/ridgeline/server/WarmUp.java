package dev.ridgeline.server;

import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.grammar.JsonSchema;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.tokenizer.template.TemplateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * The first steps of each kind are slow: classes are loaded, code is compiled, pipelines are built.
 * Whoever asks first should not have to wait for that, nor those who ask meanwhile: before the
 * server is ready it runs what requests will run, for {@link #ENOUGH} or {@link #ENOUGH_PIPELINES}
 * at most (a step under way is finished), so that a large model on a slow machine is not held up.
 */
final class WarmUp {
  private static final Duration ENOUGH = Duration.ofSeconds(2);

  /** A driver builds about forty pipelines, up to a second each, once on a machine. */
  private static final Duration ENOUGH_PIPELINES = Duration.ofSeconds(20);

  private static final int BATCH = 12;
  private static final int TOKENS = 24;
  private static final int LONG_PROMPT = 192;

  /** Its blocks are found by no request. */
  private static final long SALT = 0x5741524d5550L;

  private final Core core;
  private final Engine engine;
  private final boolean device;
  private final Duration enough;
  private final long endNanos;
  private final Random random = new Random(1);

  WarmUp(Core core, Engine engine) {
    this.core = core;
    this.engine = engine;
    device = !engine.backend().name().equals("cpu");
    enough = device ? ENOUGH_PIPELINES : ENOUGH;
    endNanos = System.nanoTime() + enough.toNanos();
  }

  void run() {
    generate(1, 1, TOKENS, SamplingParams.GREEDY);
    int sequences = Math.min(BATCH, engine.plan().capacity().maxSequences());
    List<Runnable> stages =
        List.of(
            () -> generate(sequences, 16, TOKENS, SamplingParams.DEFAULTS),
            this::constrained,
            () -> generate(2, LONG_PROMPT, TOKENS, SamplingParams.DEFAULTS),
            this::chat,
            this::otherKernels);
    for (Runnable stage : stages) {
      if (System.nanoTime() < endNanos) {
        stage.run();
      }
    }
  }

  /** Some sequences at once, with prompts of any tokens. */
  private void generate(int sequences, int promptTokens, int tokens, SamplingParams sampling) {
    int context = engine.plan().capacity().maxContext();
    var prompts = new ArrayList<int[]>();
    for (int i = 0; i < sequences; i++) {
      int[] prompt = new int[Math.min(promptTokens, context / 2)];
      Arrays.setAll(prompt, _ -> random.nextInt(engine.tokenizer().size()));
      prompts.add(prompt);
    }
    await(prompts, params().sampling(sampling).ignoreEos(true).maxTokens(tokens).build());
  }

  /** Prompts of lengths for which a device has kernels of their own. */
  private void otherKernels() {
    if (device) {
      IntStream.of(3, 20, 40, 100).forEach(n -> generate(1, n, 2, SamplingParams.GREEDY));
    }
  }

  private void constrained() {
    var schema =
        Map.of(
            "type", "object", "properties", Map.of("a", Map.of("type", "string", "maxLength", 8)));
    var form = new Constraints.Form("", JsonSchema.toGbnf(schema));
    await(List.of(new int[] {0}), core.constraints().apply(form, params().build()));
  }

  /** What surrounds an answer: template, tokenizer, JSON. */
  private void chat() {
    var message = Map.<String, Object>of("role", "user", "content", "Once upon a time, ".repeat(8));
    try {
      var chat = ChatPlan.chatPrompt(engine);
      int[] prompt = chat.encode(chat.render(List.of(message), null, true, Map.of()));
      Json.object(Json.bytes(Map.of("prompt", engine.tokenizer().decode(prompt))));
    } catch (TemplateException e) {
      // told to whoever wants to chat
    }
  }

  private GenerateParams.Builder params() {
    return GenerateParams.builder()
        .maxTokens(TOKENS)
        .scheduling(new GenerateParams.Scheduling(0, "", SALT, enough));
  }

  private void await(List<int[]> prompts, GenerateParams params) {
    List<TokenStream> streams = prompts.stream().map(p -> engine.generate(p, params)).toList();
    streams.forEach(TokenStream::collect);
  }
}
