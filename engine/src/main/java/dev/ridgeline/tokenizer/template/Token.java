package dev.ridgeline.tokenizer.template;

/**
 * A piece of a template.
 *
 * @param text the source text; for {@link Type#STRING} and {@link Type#DATA} the meant text
 */
record Token(Type type, String text, int line) {
  enum Type {
    DATA("template data / text"),
    BLOCK_BEGIN("begin of statement block"),
    BLOCK_END("end of statement block"),
    VARIABLE_BEGIN("begin of print statement"),
    VARIABLE_END("end of print statement"),
    NAME("name"),
    STRING("string"),
    INTEGER("integer"),
    FLOAT("float"),
    OPERATOR("operator"),
    EOF("end of template");

    final String description;

    Type(String description) {
      this.description = description;
    }
  }

  boolean is(Type type, String text) {
    return this.type == type && this.text.equals(text);
  }

  boolean isOperator(String text) {
    return is(Type.OPERATOR, text);
  }

  boolean isName(String text) {
    return is(Type.NAME, text);
  }

  /** As error messages call it. */
  String describe() {
    return type == Type.NAME || type == Type.OPERATOR ? text : type.description;
  }
}
