package dev.ridgeline.tokenizer.template;

/**
 * The one error that parsing or rendering a template ends with. Its message is one line, {@code
 * name:line: Kind: detail}.
 */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String template;
  private final int line;
  private final String kind;
  private final String detail;

  TemplateException(String template, Fault fault) {
    super(
        "%s:%d: %s: %s"
            .formatted(
                template, fault.line(), fault.kind(), fault.detail().replaceAll("\\R", "\\\\n")),
        fault);
    this.template = template;
    this.line = fault.line();
    this.kind = fault.kind();
    this.detail = fault.detail();
  }

  /** The name that the template was parsed under. */
  public String template() {
    return template;
  }

  /** The line of the template, from 1. */
  public int line() {
    return line;
  }

  /**
   * The name of the exception that Python's Jinja2 raises here: {@code TemplateSyntaxError}, {@code
   * UndefinedError}, {@code TypeError}, ...; {@code TemplateError} where the template itself calls
   * {@code raise_exception}; {@code LimitError} where a {@link RenderLimits} is exceeded, {@code
   * UnsupportedError} for a part of the language that is refused here.
   */
  public String kind() {
    return kind;
  }

  /** The message alone; for {@code raise_exception}, its argument. */
  public String detail() {
    return detail;
  }
}
