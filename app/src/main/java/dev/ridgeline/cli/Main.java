package dev.ridgeline.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The command {@code ridgeline}. */
@Command(
    name = "ridgeline",
    description =
        "Runs language models from GGUF files and measures them against the machine's limits.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footerHeading = "%nFor example:%n",
    footer = {
      "  ridgeline run \"Once upon a time\"        text from the built-in model",
      "  ridgeline chat -m model.gguf            talk to a model",
      "  ridgeline serve -m model.gguf           an HTTP server (OpenAI's API, a page)",
      "  ridgeline inspect model.gguf            what is in a file, the memory it takes",
      "  ridgeline bench model.gguf              its speed beside the machine's limits",
      "  source <(ridgeline generate-completion) completion for bash and zsh",
      "",
      "Exit status: 0 done, 1 the work failed, 2 wrong usage or input."
    })
public final class Main {
  private static final List<Class<?>> COMMANDS =
      List.of(
          RunCommand.class,
          ChatCommand.class,
          ServeCommand.class,
          InspectCommand.class,
          TokenizeCommand.class,
          TemplateCommand.class,
          LogitsCommand.class,
          SynthCommand.class,
          QuantizeCommand.class,
          ImatrixCommand.class,
          PerplexityCommand.class,
          BenchCommand.class,
          StudyCommand.class,
          ReportCommand.class,
          HistoryCommand.class,
          DoctorCommand.class,
          GenerateCompletion.class,
          HelpCommand.class);

  private Main() {}

  /** Runs the command line and exits with its status. */
  public static void main(String[] args) {
    StandardError.restore();
    // A writer right on the stream notices that a reader went away; picocli's own does not.
    var out = new PrintWriter(System.out, false, charset(System.out.charset()));
    CommandLine commandLine = commandLine(args).setOut(out);
    int status = commandLine.execute(args);
    commandLine.getErr().flush();
    boolean lost = commandLine.getOut().checkError();
    System.exit(status == 0 && lost ? Errors.lostOutput(commandLine) : status);
  }

  /** Where the system names no charset ({@code LANG=C}), it is UTF-8, as in files and pipes. */
  private static Charset charset(Charset found) {
    return found.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : found;
  }

  /**
   * The command line, ready to execute {@code args}. Reading the options of all commands would take
   * 0.2 s of every start: where the first argument names one, only that one is read.
   */
  static CommandLine commandLine(String... args) {
    var commandLine = new CommandLine(new Main());
    List<Class<?>> named =
        COMMANDS.stream().filter(c -> args.length > 0 && isNamed(c, args[0])).toList();
    for (Class<?> command : named.isEmpty() ? COMMANDS : named) {
      commandLine.addSubcommand(command);
    }
    return commandLine
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setUsageHelpLongOptionsMaxWidth(28)
        .setParameterExceptionHandler(Errors::usage)
        .setExecutionExceptionHandler(Errors::execution);
  }

  /** By the name of the class, which says it sooner than the annotation; help needs the others. */
  private static boolean isNamed(Class<?> command, String name) {
    return command != HelpCommand.class
        && command.getSimpleName().toLowerCase(Locale.ROOT).equals(name + "command");
  }
}
