package dev.ridgeline.cli;

import dev.ridgeline.sampler.InvalidParameterException;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.Token;
import dev.ridgeline.scheduler.TokenStream;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ridgeline chat}. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "A conversation with a model. Ctrl-C stops an answer, Ctrl-D ends the conversation;"
          + " /help lists the commands.",
      "A model without a chat template continues one text, to which your lines are added."
    },
    footerHeading = "%nIn the conversation:%n",
    footer = ChatCommand.HELP)
final class ChatCommand implements Callable<Integer> {
  static final String HELP =
      """
      /clear        forget the conversation
      /system TEXT  forget the conversation and begin it with a system message
      /retry        answer the last message again
      /stats        speeds of the last answer
      /exit         leave (also Ctrl-D)
      A line that ends with \\ goes on in the next one.""";

  @Mixin private ModelArgument model = new ModelArgument();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system message at the beginning.")
  private @Nullable String system;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "Most tokens of an answer. Default: until the model ends it.")
  private int maxTokens = -1;

  @Mixin private ContextArguments context = new ContextArguments();
  @Mixin private BackendArguments backend = new BackendArguments();
  @Mixin private SamplingArguments sampling = new SamplingArguments();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    GenerateParams params =
        GenerateParams.builder().sampling(sampling.params()).maxTokens(maxTokens).build();
    PrintWriter err = spec.commandLine().getErr();
    try (Terminal terminal = TerminalBuilder.builder().system(true).dumb(true).build();
        Engine engine = Engines.open(err, model.path(), backend, context)) {
      terminal.writer().println(model.title(engine) + "; /help lists the commands");
      if (engine.chatPrompt().isEmpty()) {
        terminal.writer().println("It has no chat template: it goes on with what you write.");
      }
      LineReader reader = reader(terminal);
      new Conversation(engine, terminal, params).talk(reader);
    }
    return 0;
  }

  /** Takes lines as they are typed: quotes and exclamation marks mean nothing. */
  private static LineReader reader(Terminal terminal) {
    var parser = new DefaultParser();
    parser.setQuoteChars(new char[0]);
    parser.setEofOnEscapedNewLine(true);
    return LineReaderBuilder.builder()
        .terminal(terminal)
        .appName("ridgeline")
        .parser(parser)
        .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
        .variable(LineReader.SECONDARY_PROMPT_PATTERN, ". ")
        .variable(LineReader.HISTORY_FILE, CacheFolder.path().resolve("chat_history"))
        .build();
  }

  /** The messages so far and what is done with the next line. */
  private final class Conversation {
    private final Engine engine;
    private final Terminal terminal;
    private final GenerateParams params;
    private final Optional<ChatPrompt> template;
    private final List<Map<String, String>> messages = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private @Nullable RequestStats last;

    Conversation(Engine engine, Terminal terminal, GenerateParams params) {
      this.engine = engine;
      this.terminal = terminal;
      this.params = params;
      template = engine.chatPrompt();
      clear(system);
    }

    void talk(LineReader reader) {
      while (true) {
        try {
          if (!accept(reader.readLine("> ").replace("\\\n", "\n"))) {
            return;
          }
        } catch (UserInterruptException e) {
          // Ctrl-C at the prompt drops the line that was being typed.
        } catch (EndOfFileException e) {
          return;
        }
      }
    }

    /** Whether the conversation goes on. */
    private boolean accept(String line) {
      String[] words = line.strip().split("\\s+", 2);
      switch (words[0]) {
        case "" -> {}
        case "/exit", "/quit", "/bye" -> {
          return false;
        }
        case "/help", "/?" -> say(HELP);
        case "/clear" -> clear(system);
        case "/system" -> clear(words.length > 1 ? words[1] : null);
        case "/retry" -> retry();
        case "/stats" -> stats();
        default -> {
          if (words[0].startsWith("/")) {
            say("unknown command " + words[0] + "; /help lists them");
          } else {
            ask(line);
          }
        }
      }
      return true;
    }

    private void clear(@Nullable String systemMessage) {
      messages.clear();
      text.setLength(0);
      if (systemMessage != null && template.isPresent()) {
        messages.add(Map.of("role", "system", "content", systemMessage));
      } else if (systemMessage != null) {
        text.append(systemMessage).append('\n');
      }
    }

    private void ask(String line) {
      int before = text.length();
      messages.add(Map.of("role", "user", "content", line));
      text.append(line);
      if (!answer()) {
        messages.removeLast();
        text.setLength(before);
      }
    }

    private void retry() {
      if (messages.size() < 2 || template.isEmpty()) {
        say("nothing to answer again");
        return;
      }
      Map<String, String> answer = messages.removeLast();
      if (!answer()) {
        messages.add(answer);
      }
    }

    private void stats() {
      RequestStats stats = last;
      if (stats == null) {
        say("no answer yet");
      } else {
        Speeds.report(terminal.writer(), engine, stats);
      }
    }

    /** Whether there is one. */
    private boolean answer() {
      try {
        int[] ids =
            template.isPresent()
                ? template.get().encode(messages)
                : engine.tokenizer().encode(text.toString(), Tokenizer.Bos.AUTO, false);
        String answer = stream(ids);
        messages.add(Map.of("role", "assistant", "content", answer));
        text.append(answer);
        return true;
      } catch (InvalidParameterException e) {
        say("ridgeline: " + e.getMessage() + "; /clear forgets the conversation");
      } catch (RuntimeException e) {
        say("ridgeline: " + e.getMessage());
      }
      return false;
    }

    private String stream(int[] ids) {
      var answer = new StringBuilder();
      try (TokenStream stream = engine.generate(ids, params)) {
        Terminal.SignalHandler before = terminal.handle(Signal.INT, _ -> stream.cancel());
        try {
          for (Token token : stream) {
            answer.append(token.text());
            terminal.writer().print(token.text());
            terminal.flush();
          }
        } finally {
          terminal.handle(Signal.INT, before);
        }
        last = stream.stats();
        say(end(last));
      }
      return answer.toString();
    }

    private String end(RequestStats stats) {
      int context = engine.plan().capacity().maxContext();
      boolean full = stats.promptTokens() + stats.generatedTokens() >= context;
      return switch (stats.finishReason()) {
        case CANCELLED -> " [stopped]";
        case LENGTH -> full ? " [the context of " + context + " tokens is full]" : " [cut: -n]";
        default -> "";
      };
    }

    private void say(String line) {
      terminal.writer().println(line);
      terminal.flush();
    }
  }
}
