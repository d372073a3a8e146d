package dev.ridgeline.server;

import java.util.List;

/** What an assistant's message grows by. */
sealed interface Delta {
  /** Text for the reader. */
  record Content(String text) implements Delta {}

  /** What the model thinks before it answers. */
  record Reasoning(String text) implements Delta {}

  /** A call of a tool begins. */
  record Call(int index, String id, String name) implements Delta {}

  /** The arguments of a call grow by some JSON text. */
  record Arguments(int index, String json) implements Delta {}

  /** Finds the parts of a message in the text of a model. Not thread-safe. */
  interface Reader {
    /** More text; what it means as far as that is certain. */
    List<Delta> accept(String text);

    /** The text is over: what was held back. */
    List<Delta> finish();

    /** All text is content. */
    static Reader plain() {
      return new Reader() {
        @Override
        public List<Delta> accept(String text) {
          return text.isEmpty() ? List.of() : List.of(new Content(text));
        }

        @Override
        public List<Delta> finish() {
          return List.of();
        }
      };
    }
  }
}
