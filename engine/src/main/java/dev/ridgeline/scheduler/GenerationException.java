package dev.ridgeline.scheduler;

/** A request could not be finished; the message is one line for people. */
public final class GenerationException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What happened, and the cause where there is one. */
  public GenerationException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
    super(message, cause);
  }
}
