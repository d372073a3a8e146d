package dev.ridgeline.sampler.grammar;

/** A grammar or a schema cannot be used; the message says what is wrong with it, and where. */
public final class GrammarException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  GrammarException(String message) {
    super(message);
  }
}
