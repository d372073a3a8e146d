package dev.ridgeline.tokenizer;

/** Turns text that holds no special token into ids; one for each tokenizer model. Thread-safe. */
interface TextEncoder {
  /**
   * Appends the ids of {@code text}.
   *
   * @param text not empty, without unpaired surrogates
   * @param atStart whether nothing or a special token stands before it
   */
  void encode(String text, boolean atStart, IntList ids);
}
