package dev.ridgeline.cli;

import java.io.PrintWriter;
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
    subcommands = {
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
      HelpCommand.class
    },
    footerHeading = "%nFor example:%n",
    footer = {
      "  ridgeline run \"Once upon a time\"              text from the built-in model",
      "  ridgeline chat -m model.gguf                  talk to a model",
      "  ridgeline serve -m model.gguf                 an HTTP server with OpenAI's API and a page",
      "  ridgeline inspect model.gguf                  what is in a file, and the memory it takes",
      "  ridgeline bench model.gguf -p 512 -n 128      its speed beside the machine's limits",
      "  source <(ridgeline generate-completion)       completion for bash and zsh",
      "",
      "Exit status: 0 done, 1 the work failed, 2 wrong usage or input."
    })
public final class Main {
  private Main() {}

  /** Runs the command line and exits with its status. */
  public static void main(String[] args) {
    StandardError.restore();
    // A writer right on the stream notices that a reader went away; picocli's own does not.
    var out = new PrintWriter(System.out, false, System.out.charset());
    CommandLine commandLine = commandLine().setOut(out);
    int status = commandLine.execute(args);
    commandLine.getErr().flush();
    boolean lost = commandLine.getOut().checkError();
    System.exit(status == 0 && lost ? Errors.FAILED : status);
  }

  /** The command line, ready to execute. */
  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setUsageHelpLongOptionsMaxWidth(28)
        .setParameterExceptionHandler(Errors::usage)
        .setExecutionExceptionHandler(Errors::execution);
  }
}
