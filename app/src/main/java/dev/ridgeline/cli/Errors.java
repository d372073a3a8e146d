package dev.ridgeline.cli;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.tokenizer.template.TemplateException;
import java.io.FileNotFoundException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into one line on standard error and an exit status. */
final class Errors {
  /** The work failed. */
  static final int FAILED = 1;

  /** Wrong usage or wrong input. */
  static final int USAGE = 2;

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
    say(
        command,
        e.getMessage() + "; see '" + command.getCommandSpec().qualifiedName() + " --help'");
    return USAGE;
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
      return FAILED;
    }
    if (System.getenv("RIDGELINE_TRACE") != null) {
      e.printStackTrace(command.getErr());
    }
    say(command, message(e));
    return isInput(e) ? USAGE : FAILED;
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
