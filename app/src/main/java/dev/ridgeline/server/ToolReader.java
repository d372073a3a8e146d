package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Finds the calls of tools in a text, written as a {@link ToolFormat} says. */
final class ToolReader implements Delta.Reader {
  private enum At {
    TEXT,
    BEGIN,
    NAME,
    ARGUMENTS,
    AFTER
  }

  private final ToolFormat format;
  private final Set<String> names;
  private final String trigger;
  private final StringBuilder held = new StringBuilder();
  private final List<Delta> out = new ArrayList<>();
  private At at;
  private int calls;
  private ToolFormat.JsonScan scan = new ToolFormat.JsonScan();

  /**
   * @param names of the tools that may be called: what looks like a call of another one is text
   * @param called whether the text begins with a call, as where one is required
   */
  ToolReader(ToolFormat format, Set<String> names, boolean called) {
    this.format = format;
    this.names = names;
    trigger = format.trigger();
    at = called ? At.BEGIN : At.TEXT;
  }

  @Override
  public List<Delta> accept(String text) {
    held.append(text);
    out.clear();
    while (step()) {}
    return List.copyOf(out);
  }

  @Override
  public List<Delta> finish() {
    out.clear();
    if (!held.isEmpty() && at == At.TEXT) {
      out.add(new Delta.Content(held.toString()));
    }
    held.setLength(0);
    return List.copyOf(out);
  }

  private boolean step() {
    return switch (at) {
      case TEXT -> text();
      case BEGIN -> begin();
      case NAME -> name();
      case ARGUMENTS -> arguments();
      case AFTER -> after();
    };
  }

  private String take(int length) {
    String taken = held.substring(0, length);
    held.delete(0, length);
    return taken;
  }

  private boolean text() {
    int found = held.indexOf(trigger);
    int certain = found >= 0 ? found : held.length() - overlap();
    int end = certain;
    // Line ends between a text and a call belong to neither.
    while (end > 0 && Character.isWhitespace(held.charAt(end - 1))) {
      end--;
    }
    if (end > 0) {
      out.add(new Delta.Content(take(end)));
      certain -= end;
    }
    if (found >= 0) {
      take(certain);
    }
    if (found >= 0) {
      at = At.BEGIN;
    }
    return found >= 0;
  }

  /** Length of the longest end of what is held that begins the trigger. */
  private int overlap() {
    for (int n = Math.min(trigger.length() - 1, held.length()); n > 0; n--) {
      if (trigger.startsWith(held.substring(held.length() - n))) {
        return n;
      }
    }
    return 0;
  }

  private boolean begin() {
    if (held.length() < format.begin().length()) {
      return false;
    }
    if (held.indexOf(format.begin()) != 0) {
      at = At.TEXT; // only looks like a call
      out.add(new Delta.Content(take(1)));
      return true;
    }
    take(format.begin().length());
    at = At.NAME;
    return true;
  }

  private boolean name() {
    if (names.stream().noneMatch(n -> begins(n + format.middle()))) {
      at = At.TEXT; // only looks like a call
      out.add(new Delta.Content(format.begin()));
      return true;
    }
    int end = held.indexOf(format.middle());
    if (end < 0) {
      return false;
    }
    String name = take(end);
    take(format.middle().length());
    out.add(
        new Delta.Call(
            calls++,
            "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24),
            name));
    scan = new ToolFormat.JsonScan();
    at = At.ARGUMENTS;
    return true;
  }

  private boolean arguments() {
    int n = 0;
    boolean over = false;
    while (n < held.length() && !over) {
      over = scan.accept(held.charAt(n++));
    }
    if (n > 0) {
      out.add(new Delta.Arguments(calls - 1, take(n)));
    }
    if (over) {
      at = At.AFTER;
    }
    return over;
  }

  private boolean after() {
    String next = format.next();
    if (next != null && matches(next)) {
      take(next.length());
      at = At.NAME;
      return true;
    }
    if (matches(format.end())) {
      take(format.end().length());
      at = At.TEXT;
      return !held.isEmpty();
    }
    boolean possible = couldBecome(format.end()) || next != null && couldBecome(next);
    if (!possible) {
      at = At.TEXT;
    }
    return !possible && !held.isEmpty();
  }

  private boolean couldBecome(String literal) {
    return held.length() < literal.length()
        && literal.regionMatches(0, held.toString(), 0, idAt(literal, held.length()));
  }

  /** Whether what is held begins with {@code literal}, whatever stands for an id in it. */
  private boolean matches(String literal) {
    if (held.length() < literal.length()) {
      return false;
    }
    int id = literal.indexOf(ToolFormat.ID);
    if (id < 0) {
      return held.indexOf(literal) == 0;
    }
    int behind = id + ToolFormat.ID.length();
    return literal.startsWith(held.substring(0, id))
        && literal.substring(behind).equals(held.substring(behind, literal.length()));
  }

  /** Whether what is held begins with {@code text}, or with as much of it as is there. */
  private boolean begins(String text) {
    int n = Math.min(text.length(), held.length());
    return text.startsWith(held.substring(0, n));
  }

  private static int idAt(String literal, int length) {
    int id = literal.indexOf(ToolFormat.ID);
    return id < 0 ? length : Math.min(id, length);
  }
}
