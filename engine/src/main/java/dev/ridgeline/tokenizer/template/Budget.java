package dev.ridgeline.tokenizer.template;

/** What one rendering has left of its {@link RenderLimits}; confined to one thread. */
final class Budget {
  private final RenderLimits limits;
  private long stepsLeft;
  private int depth;

  Budget(RenderLimits limits) {
    this.limits = limits;
    this.stepsLeft = limits.steps();
  }

  /** Pays for {@code steps} nodes, iterations or elements, before they are made. */
  void spend(long steps) {
    stepsLeft -= Math.max(1, steps);
    if (stepsLeft < 0) {
      throw new Fault("LimitError", "more than %d steps".formatted(limits.steps()));
    }
  }

  /** Pays for {@code objects} strings, pairs or lists that may stay, at some 60 bytes each. */
  void make(long objects) {
    spend(8 * objects);
  }

  /** Pays for a string of {@code chars} characters, before it is built. */
  void build(long chars) {
    if (chars > limits.outputChars()) {
      throw new Fault(
          "LimitError", "text of more than %d characters".formatted(limits.outputChars()));
    }
    spend(8 + (chars >> 3));
  }

  /** Pays for looking through {@code chars} characters. */
  void scan(long chars) {
    spend(chars >> 6);
  }

  /** Checks a text that grows piece by piece; its pieces are paid for already. */
  void check(CharSequence growing) {
    if (growing.length() > limits.outputChars()) {
      build(growing.length());
    }
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw new Fault("LimitError", "nested more than %d deep".formatted(limits.depth()));
    }
  }

  void exit() {
    depth--;
  }
}
