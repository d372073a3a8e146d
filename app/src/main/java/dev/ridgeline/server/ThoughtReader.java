package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.List;

/** Parts what a model thinks, between {@code <think>} and {@code </think>}, from its answer. */
final class ThoughtReader implements Delta.Reader {
  static final String OPEN = "<think>";
  static final String CLOSE = "</think>";

  private final Delta.Reader inner;
  private final StringBuilder held = new StringBuilder();
  private boolean decided;
  private boolean thinking;
  private boolean fresh = true;

  /**
   * @param inner reads the answer
   * @param thinking whether the prompt has opened the thought already
   */
  ThoughtReader(Delta.Reader inner, boolean thinking) {
    this.inner = inner;
    this.thinking = thinking;
    decided = thinking;
  }

  @Override
  public List<Delta> accept(String text) {
    held.append(text);
    var out = new ArrayList<Delta>();
    if (!decided) {
      String begin = held.toString().stripLeading();
      if (begin.length() < OPEN.length() && OPEN.startsWith(begin)) {
        return out;
      }
      decided = true;
      thinking = begin.startsWith(OPEN);
      if (thinking) {
        held.delete(0, held.indexOf(OPEN) + OPEN.length());
      } else {
        fresh = false;
      }
    }
    if (thinking) {
      think(out);
    }
    if (!thinking && !held.isEmpty()) {
      out.addAll(inner.accept(answer()));
    }
    return out;
  }

  private void think(List<Delta> out) {
    int end = held.indexOf(CLOSE);
    int certain = end >= 0 ? end : Math.max(0, held.length() - CLOSE.length() + 1);
    String thought = held.substring(0, certain);
    held.delete(0, end >= 0 ? end + CLOSE.length() : certain);
    if (fresh) {
      thought = thought.stripLeading();
    }
    if (!thought.isEmpty()) {
      fresh = false;
      out.add(new Delta.Reasoning(thought));
    }
    if (end >= 0) {
      thinking = false;
      fresh = true;
    }
  }

  private String answer() {
    String text = held.toString();
    held.setLength(0);
    if (fresh) {
      text = text.stripLeading();
      fresh = text.isEmpty();
    }
    return text;
  }

  @Override
  public List<Delta> finish() {
    var out = new ArrayList<Delta>();
    if (!held.isEmpty()) {
      String rest = held.toString();
      held.setLength(0);
      out.addAll(thinking ? List.of(new Delta.Reasoning(rest)) : inner.accept(rest));
    }
    out.addAll(inner.finish());
    return out;
  }
}
