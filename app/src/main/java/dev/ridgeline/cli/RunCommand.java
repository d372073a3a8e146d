package dev.ridgeline.cli;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline run}. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Generates text after a prompt.",
      "A model with a chat template is asked the prompt as a user's message; --raw continues it as a text."
    },
    footerHeading = "%nFor example:%n",
    footer = {
      "  ridgeline run \"Once upon a time\"                   by the built-in model",
      "  ridgeline run -m model.gguf \"Why is the sky blue?\" an answer",
      "  ridgeline run -m model.gguf - < question.txt        a prompt from a file",
      "  ridgeline run -m model.gguf --greedy -n 64 --format json \"Hi\" | jq .text",
      "The text goes to standard output; memory, progress and speeds to standard error.",
      "Ctrl-C ends it."
    })
final class RunCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "PROMPT",
      description = "The prompt; - is standard input.")
  private @Nullable String prompt;

  @Mixin private ModelArgument model = new ModelArgument();

  @Option(
      names = "--tokens",
      split = ",",
      paramLabel = "ID",
      description = "Token ids as the prompt, as they are: nothing is added.")
  private int @Nullable [] tokens;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system message before the prompt.")
  private @Nullable String system;

  @Option(names = "--raw", description = "Apply no chat template.")
  private boolean raw;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description =
          "Most tokens to generate. Default: until the model ends the text or the context is full.")
  private int maxTokens = -1;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the text; repeatable.")
  private List<String> stop = List.of();

  @Option(names = "--ignore-eos", description = "Go on when the model would end the text.")
  private boolean ignoreEos;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private ContextArguments context = new ContextArguments();
  @Mixin private BackendArguments backend = new BackendArguments();
  @Mixin private SamplingArguments sampling = new SamplingArguments();

  @Spec private CommandSpec spec;

  private record Output(
      int[] promptIds,
      int[] ids,
      String text,
      String finishReason,
      double promptTokensPerSecond,
      double decodeTokensPerSecond,
      double ttftSeconds) {}

  @Override
  public Integer call() throws IOException {
    GenerateParams params =
        GenerateParams.builder()
            .sampling(sampling.params())
            .maxTokens(maxTokens)
            .stop(stop.toArray(String[]::new))
            .ignoreEos(ignoreEos)
            .build();
    String text = prompt();
    try (Engine engine =
        Engines.open(spec.commandLine().getErr(), model.path(), backend, context)) {
      Optional<ChatPrompt> template =
          tokens != null || raw ? Optional.empty() : engine.chatPrompt();
      boolean chat = template.isPresent();
      int[] ids = ids(engine, template, text);
      PrintWriter out = spec.commandLine().getOut();
      boolean json = format == Format.JSON;
      var generated = new ArrayList<Token>();
      try (TokenStream stream = engine.generate(ids, params)) {
        if (!json && !chat && tokens == null) {
          out.print(text);
          out.flush();
        }
        for (Token token : stream) {
          generated.add(token);
          if (!json) {
            out.print(token.text());
            Errors.checkReader(out);
          }
        }
        finish(engine, ids, generated, stream.stats());
      }
    }
    return 0;
  }

  private String prompt() throws IOException {
    if (tokens != null && prompt != null) {
      throw new Errors.InputException("a prompt and --tokens: expected one of them");
    }
    if (tokens == null && prompt == null) {
      throw new Errors.InputException(
          "no prompt; for example: ridgeline run \"Once upon a time\" (or --tokens 1,2,3, or - for standard input)");
    }
    if ("-".equals(prompt)) {
      return TextFile.read(Path.of(prompt));
    }
    return prompt == null ? "" : prompt;
  }

  private int[] ids(Engine engine, Optional<ChatPrompt> template, String text) {
    if (tokens != null) {
      return tokens;
    }
    if (template.isEmpty()) {
      if (system != null) {
        throw new Errors.InputException(
            "--system: this model has no chat template, or --raw turned it off");
      }
      return engine.tokenizer().encode(text, Tokenizer.Bos.AUTO, false);
    }
    var messages = new ArrayList<Map<String, String>>();
    if (system != null) {
      messages.add(Map.of("role", "system", "content", system));
    }
    messages.add(Map.of("role", "user", "content", text));
    return template.get().encode(messages);
  }

  private void finish(Engine engine, int[] promptIds, List<Token> generated, RequestStats stats) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      var text = new StringBuilder();
      generated.forEach(t -> text.append(t.text()));
      int[] ids = generated.stream().mapToInt(Token::id).filter(id -> id != Token.NONE).toArray();
      Json.print(
          out,
          new Output(
              promptIds,
              ids,
              text.toString(),
              stats.finishReason().name().toLowerCase(Locale.ROOT),
              stats.promptTokensPerSecond(),
              stats.decodeTokensPerSecond(),
              stats.timings().firstTokenNanos() / 1e9));
    } else {
      out.println();
      out.flush();
      Speeds.report(spec.commandLine().getErr(), engine, stats);
    }
  }
}
