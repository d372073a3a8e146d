package dev.ridgeline.gguf;

/**
 * A file that cannot be read, in one line: what, where (file and byte offset), expected, found,
 * what to do. Whatever text of the file a message repeats, it stays one line: control and invisible
 * characters appear as {@code \}{@code uXXXX}.
 */
public final class GgufException extends RuntimeException {
  private static final int MAX_QUOTED_CHARS = 80;

  /** A problem found at byte {@code offset} of {@code file}. */
  public GgufException(String file, long offset, String message) {
    super(oneLine(file + " @ byte " + offset + ": " + message));
  }

  /** A problem of the file as a whole, such as a missing or nonsensical hyperparameter. */
  public GgufException(String file, String message) {
    super(oneLine(file + ": " + message));
  }

  /** A problem of the file as a whole that something else reported first. */
  public GgufException(String file, String message, Throwable cause) {
    super(oneLine(file + ": " + message), cause);
  }

  /** Text of a file for a message: in single quotes, cut after 80 characters. */
  public static String quote(String text) {
    return text.length() <= MAX_QUOTED_CHARS
        ? "'" + text + "'"
        : "'" + text.substring(0, MAX_QUOTED_CHARS) + "...' (" + text.length() + " characters)";
  }

  private static String oneLine(String message) {
    StringBuilder line = new StringBuilder(message.length());
    for (int i = 0; i < message.length(); i++) {
      char c = message.charAt(i);
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR ->
            line.append("\\u%04x".formatted((int) c));
        default -> line.append(c);
      }
    }
    return line.toString();
  }
}
