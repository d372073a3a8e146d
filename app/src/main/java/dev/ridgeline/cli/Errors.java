package dev.ridgeline.cli;

import static java.util.Map.entry;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.tokenizer.template.TemplateException;
import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into one line on standard error and an exit status. */
final class Errors {
  /** The work failed. */
  static final int FAILED = 1;

  /** Wrong usage or wrong input. */
  static final int USAGE = 2;

  private static final Pattern FIELD = Pattern.compile("^([a-z][A-Za-z.]*): expected ");

  /** Options that are not called as the parameters that they set. */
  private static final Map<String, String> RENAMED =
      Map.ofEntries(
          entry("context", "--ctx"),
          entry("batchTokens", "--batch"),
          entry("temperature", "--temp"),
          entry("typicalP", "--typical"),
          entry("penalties.lastN", "--repeat-last-n"),
          entry("penalties.repeat", "--repeat-penalty"),
          entry("penalties.frequency", "--frequency-penalty"),
          entry("penalties.presence", "--presence-penalty"),
          entry("dry.lastN", "--dry-penalty-last-n"),
          entry("mirostat.tau", "--mirostat-ent"),
          entry("mirostat.eta", "--mirostat-lr"));

  private Errors() {}

  /** Wrong input found by a command itself; the message says what, expected, found, what to do. */
  static final class InputException extends RuntimeException {
    InputException(String message) {
      super(message);
    }
  }

  /** Whoever read standard output went away, as {@code head} does: no mistake, but no success. */
  static final class ReaderGoneException extends RuntimeException {}

  /** Flushes {@code out}; work for a reader who went away ends here. */
  static void checkReader(PrintWriter out) {
    if (out.checkError()) {
      throw new ReaderGoneException();
    }
  }

  static int usage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    if (args.length == 0) {
      command.usage(command.getErr());
      return USAGE;
    }
    if (command.getParent() == null && e instanceof UnmatchedArgumentException unmatched) {
      say(command, unknown(command, unmatched));
      return USAGE;
    }
    say(command, reason(e) + "; see '" + command.getCommandSpec().qualifiedName() + " --help'");
    return USAGE;
  }

  /** In the words of all other messages, not picocli's. */
  private static String reason(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched
        && !unmatched.getUnmatched().getFirst().startsWith("-")) {
      return "one argument too many: '%s'; a text with spaces needs quotes"
          .formatted(unmatched.getUnmatched().getFirst());
    }
    return Objects.requireNonNullElse(e.getMessage(), "")
        .replaceFirst("^Error: ", "")
        .replaceFirst("'([^']*)' is not an? (int|long)$", "expected a whole number, found '$1'")
        .replaceFirst("'([^']*)' is not a (float|double)$", "expected a number, found '$1'");
  }

  private static String unknown(CommandLine command, UnmatchedArgumentException e) {
    String first = e.getUnmatched().getFirst();
    List<String> alike = e.getSuggestions();
    return "unknown %s '%s'; %s"
        .formatted(
            first.startsWith("-") ? "option" : "command",
            first,
            alike.isEmpty()
                ? "the commands are " + String.join(", ", command.getSubcommands().keySet())
                : "did you mean " + String.join(" or ", alike) + "?");
  }

  static int execution(Exception e, CommandLine command, ParseResult result) {
    if (e instanceof ReaderGoneException) {
      return lostOutput(command);
    }
    if (System.getenv("RIDGELINE_TRACE") != null) {
      e.printStackTrace(command.getErr());
    }
    say(command, withOption(message(e), command.getCommandSpec()));
    return isInput(e) ? USAGE : FAILED;
  }

  /** Nothing to say about a reader who went away, as {@code head} does; but of a full disk. */
  static int lostOutput(CommandLine command) {
    try {
      // Writers keep the exception to themselves: what the system says, it says again.
      new FileOutputStream(FileDescriptor.out).write('\n');
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("Broken pipe")) {
        say(command, "cannot write to standard output: " + e.getMessage());
      }
    }
    return FAILED;
  }

  /** What the engine calls {@code xtc.threshold}, who typed it calls {@code --xtc-threshold}. */
  static String withOption(String message, CommandSpec command) {
    Matcher field = FIELD.matcher(message);
    if (!field.find()) {
      return message;
    }
    String name = field.group(1);
    String option =
        RENAMED.getOrDefault(
            name,
            "--"
                + name.replace('.', '-')
                    .replaceAll("([A-Z])", "-$1")
                    .toLowerCase(java.util.Locale.ROOT));
    return command.findOption(option) == null ? message : option + message.substring(field.end(1));
  }

  private static boolean isInput(Exception e) {
    return e instanceof InputException
        || e instanceof GgufException
        || e instanceof TemplateException
        || e instanceof IllegalArgumentException
        || e instanceof NoSuchFileException
        || e instanceof FileNotFoundException
        || e instanceof AccessDeniedException;
  }

  private static String message(Exception e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + ": no such file";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    };
  }

  private static void say(CommandLine command, String message) {
    command.getErr().println("ridgeline: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
    command.getErr().flush();
  }
}
