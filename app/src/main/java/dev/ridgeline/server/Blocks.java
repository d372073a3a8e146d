package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An answer as a row of blocks, one open at a time, as Anthropic's messages and OpenAI's responses
 * have it.
 */
final class Blocks {
  /** What a block holds. */
  enum Kind {
    TEXT,
    THOUGHT,
    CALL
  }

  /** A thought, a text, or a call with the JSON text of its arguments. */
  record Block(int index, Kind kind, String id, String name, StringBuilder text) {}

  /** Hears how blocks come and grow. */
  interface Listener {
    default void onOpen(Block block) {}

    void onGrow(Block block, String text);

    default void onClose(Block block) {}
  }

  private final List<Block> all = new ArrayList<>();
  private final Listener listener;
  private @Nullable Block open;

  Blocks(Listener listener) {
    this.listener = listener;
  }

  void accept(List<Delta> deltas) {
    for (Delta delta : deltas) {
      switch (delta) {
        case Delta.Content d -> grow(Kind.TEXT, d.text());
        case Delta.Reasoning d -> grow(Kind.THOUGHT, d.text());
        case Delta.Call d -> open(Kind.CALL, d.id(), d.name());
        case Delta.Arguments d -> grow(Kind.CALL, d.json());
      }
    }
  }

  private void grow(Kind kind, String text) {
    Block block = open;
    if (block == null || block.kind != kind) {
      block = open(kind, "", "");
    }
    block.text.append(text);
    listener.onGrow(block, text);
  }

  private Block open(Kind kind, String id, String name) {
    close();
    var block = new Block(all.size(), kind, id, name, new StringBuilder());
    all.add(block);
    open = block;
    listener.onOpen(block);
    return block;
  }

  /** The answer is over; one without a block gets an empty text. */
  void finish() {
    if (all.isEmpty()) {
      open(Kind.TEXT, "", "");
    }
    close();
  }

  private void close() {
    if (open != null) {
      listener.onClose(open);
      open = null;
    }
  }

  List<Block> all() {
    return all;
  }

  boolean hasCalls() {
    return all.stream().anyMatch(b -> b.kind == Kind.CALL);
  }
}
