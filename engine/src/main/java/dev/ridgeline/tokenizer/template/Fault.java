package dev.ridgeline.tokenizer.template;

/** An error on its way up: the Python exception's name and message, and the line once known. */
final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String kind;
  private final String detail;
  private int line;

  Fault(String kind, String detail) {
    super(detail, null, false, false); // no stack trace: bad templates are input, not bugs
    this.kind = kind;
    this.detail = detail;
  }

  static Fault type(String format, Object... args) {
    return new Fault("TypeError", format.formatted(args));
  }

  static Fault attribute(Object value, String name) {
    return new Fault(
        "AttributeError",
        "'%s' object has no attribute '%s'".formatted(Values.typeName(value), name));
  }

  static Fault value(String format, Object... args) {
    return new Fault("ValueError", format.formatted(args));
  }

  static Fault runtime(String format, Object... args) {
    return new Fault("TemplateRuntimeError", format.formatted(args));
  }

  static Fault argument(String format, Object... args) {
    return new Fault("FilterArgumentError", format.formatted(args));
  }

  static Fault overflow(String format, Object... args) {
    return new Fault("OverflowError", format.formatted(args));
  }

  static Fault syntax(int line, String format, Object... args) {
    return new Fault("TemplateSyntaxError", format.formatted(args)).at(line);
  }

  static Fault unsupported(String format, Object... args) {
    return new Fault("UnsupportedError", format.formatted(args));
  }

  /** Keeps the innermost line: the first that is set. */
  Fault at(int line) {
    if (this.line == 0) {
      this.line = line;
    }
    return this;
  }

  String kind() {
    return kind;
  }

  String detail() {
    return detail;
  }

  int line() {
    return Math.max(line, 1);
  }
}
