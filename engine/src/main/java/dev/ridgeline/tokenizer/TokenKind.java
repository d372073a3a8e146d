package dev.ridgeline.tokenizer;

/**
 * What a token of the vocabulary is; the numbers are those of {@code tokenizer.ggml.token_type}.
 */
public enum TokenKind {
  /** A piece of text. */
  NORMAL(1),
  /** Stands for text that the vocabulary cannot spell. */
  UNKNOWN(2),
  /** Structure such as begin of text or end of turn; no text of its own. */
  CONTROL(3),
  /** Text that is one token wherever it occurs, before the text around it is split. */
  USER_DEFINED(4),
  /** A piece of text reserved for later training. */
  UNUSED(5),
  /** One byte, written {@code <0x0A>}, for text that no piece spells. */
  BYTE(6);

  private final int id;

  TokenKind(int id) {
    this.id = id;
  }

  /** The kind's number in the file. */
  public int id() {
    return id;
  }

  /** Whether it is spelled by the text itself, so that splitting a text may produce it. */
  boolean isText() {
    return this == NORMAL || this == UNUSED || this == USER_DEFINED;
  }

  /** Whether its text is recognized whole, before the text around it is split. */
  boolean isSpecial() {
    return this == CONTROL || this == UNKNOWN || this == USER_DEFINED;
  }
}
