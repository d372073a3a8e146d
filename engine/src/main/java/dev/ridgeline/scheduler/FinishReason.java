package dev.ridgeline.scheduler;

/** Why a request ended. */
public enum FinishReason {
  /** The model ended its text, or a stop token or stop string came. */
  STOP,
  /** As many tokens as were asked for, or as the context holds. */
  LENGTH,
  /** The caller cancelled it, or the engine was closed. */
  CANCELLED,
  /** Its time was over. */
  DEADLINE,
  /** Something failed; the stream throws a {@link GenerationException} that says what. */
  ERROR
}
