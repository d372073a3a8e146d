package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Args.Bound;
import dev.ridgeline.tokenizer.template.Values.None;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The filter {@code tojson} as Hugging Face defines it: Python's {@code json.dumps}. */
final class Json {
  private final Ops ops;
  private final boolean ascii;
  private final boolean sortKeys;
  private final @Nullable String indent; // null: all on one line
  private final String itemSeparator;
  private final String keySeparator;
  private final StringBuilder out = new StringBuilder();

  private Json(Ops ops, Bound options) {
    this.ops = ops;
    this.ascii = options.truth(1, false);
    this.indent = indent(ops, options.get(2));
    this.sortKeys = options.truth(4, false);
    List<Object> separators =
        options.has(3) ? ops.unpack(options.get(3), 2) : List.of(indent == null ? ", " : ",", ": ");
    this.itemSeparator = ops.str(separators.get(0));
    this.keySeparator = ops.str(separators.get(1));
  }

  private static @Nullable String indent(Ops ops, Object value) {
    String text = Values.text(value);
    Long width = Values.integer(value);
    if (text != null || value == None.NONE) {
      return text;
    }
    if (width == null) {
      throw Fault.type("can't multiply sequence by non-int of type '%s'", Values.typeName(value));
    }
    ops.budget.build(width);
    return " ".repeat((int) Math.max(0, width));
  }

  static Object dump(Interpreter in, Object value, Args args) {
    List<Object> positional = new ArrayList<>(args.positional());
    positional.addFirst(value);
    Bound options =
        new Args(positional, args.named())
            .bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
    Json json = new Json(in.ops, options);
    json.write(value, 0);
    in.budget.build(json.out.length());
    return json.out.toString();
  }

  private void write(Object value, int depth) {
    ops.budget.spend(1);
    ops.budget.enter();
    String text = Values.text(value);
    List<Object> elements = Values.elements(value);
    if (text != null) {
      string(text);
    } else if (elements != null) {
      list(elements, depth);
    } else if (value instanceof Dict dict) {
      dict(dict, depth);
    } else {
      String scalar = scalar(value);
      if (scalar == null) {
        throw Fault.type("Object of type %s is not JSON serializable", Values.typeName(value));
      }
      out.append(scalar);
    }
    ops.budget.exit();
    ops.budget.check(out);
  }

  private static @Nullable String scalar(Object value) {
    return switch (value) {
      case None n -> "null";
      case Boolean b -> b ? "true" : "false";
      case Long l -> l.toString();
      case Double d when d.isNaN() -> "NaN";
      case Double d when d.isInfinite() -> d > 0 ? "Infinity" : "-Infinity";
      case Double d -> Repr.number(d);
      default -> null;
    };
  }

  private void list(List<Object> elements, int depth) {
    out.append('[');
    for (int i = 0; i < elements.size(); i++) {
      out.append(i == 0 ? "" : itemSeparator);
      newLine(depth + 1);
      write(elements.get(i), depth + 1);
    }
    if (!elements.isEmpty()) {
      newLine(depth);
    }
    out.append(']');
  }

  private void dict(Dict dict, int depth) {
    List<Object> entries = sortKeys ? ops.sorted(dict.items(), dict.keys(), false) : dict.items();
    out.append('{');
    for (int i = 0; i < entries.size(); i++) {
      List<Object> entry = Values.elements(entries.get(i));
      if (entry != null) {
        out.append(i == 0 ? "" : itemSeparator);
        newLine(depth + 1);
        string(key(entry.get(0)));
        out.append(keySeparator);
        write(entry.get(1), depth + 1);
      }
    }
    if (!entries.isEmpty()) {
      newLine(depth);
    }
    out.append('}');
  }

  private static String key(Object key) {
    String text = Values.text(key);
    String name = text == null ? scalar(key) : text;
    if (name == null) {
      throw Fault.type("keys must be str, int, float, bool or None, not %s", Values.typeName(key));
    }
    return name;
  }

  private void newLine(int depth) {
    if (indent != null) {
      ops.budget.build((long) indent.length() * depth);
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    ops.budget.build(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      character(text.charAt(i));
    }
    out.append('"');
  }

  private void character(char c) {
    switch (c) {
      case '"' -> out.append("\\\"");
      case '\\' -> out.append("\\\\");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      case '\f' -> out.append("\\f");
      case '\b' -> out.append("\\b");
      default -> {
        if (c < ' ' || (ascii && c > '~')) {
          out.append("\\u%04x".formatted((int) c));
        } else {
          out.append(c);
        }
      }
    }
  }
}
