package dev.ridgeline.gguf;

/**
 * A file that cannot be read, in one line: what, where (file and byte offset), expected, found,
 * what to do.
 */
public final class GgufException extends RuntimeException {
  /** A problem found at byte {@code offset} of {@code file}. */
  public GgufException(String file, long offset, String message) {
    super(file + " @ byte " + offset + ": " + message);
  }

  /** A problem of the file as a whole, such as a missing or nonsensical hyperparameter. */
  public GgufException(String file, String message) {
    super(file + ": " + message);
  }
}
