package dev.ridgeline.tokenizer.template;

import org.jspecify.annotations.Nullable;

/**
 * What a missing variable, attribute or element evaluates to: it prints as nothing, is false and
 * empty, and fails on everything else with a message that tells what was missing.
 */
final class Undefined {
  private final String kind;
  private final @Nullable String hint;
  private final @Nullable Object owner;
  private final Object name;

  private Undefined(String kind, @Nullable String hint, @Nullable Object owner, Object name) {
    this.kind = kind;
    this.hint = hint;
    this.owner = owner;
    this.name = name;
  }

  static Undefined variable(String name) {
    return new Undefined("UndefinedError", null, null, name);
  }

  static Undefined member(Object owner, Object name) {
    return new Undefined("UndefinedError", null, owner, name);
  }

  static Undefined because(String hint) {
    return new Undefined("UndefinedError", hint, null, "");
  }

  /** An attribute that exists in Python but is none of a template's business. */
  static Undefined unsafe(Object owner, String name) {
    String hint =
        "access to attribute %s of '%s' object is unsafe."
            .formatted(Repr.quote(name), Values.typeName(owner));
    return new Undefined("SecurityError", hint, null, name);
  }

  Fault fault() {
    return new Fault(kind, message());
  }

  private String message() {
    if (hint != null) {
      return hint;
    }
    if (owner == null) {
      return name instanceof String s ? Repr.quote(s) + " is undefined" : name + " is undefined";
    }
    String text = Values.text(name);
    return text == null
        ? ownerType(owner) + " has no element " + Repr.brief(name)
        : Repr.quote(ownerType(owner)) + " has no attribute " + Repr.quote(text);
  }

  private static String ownerType(Object owner) {
    return switch (owner) {
      case Values.None n -> "None";
      case Values.Namespace n -> "jinja2.utils.Namespace object";
      case Values.Cycler c -> "jinja2.utils.Cycler object";
      case Values.Joiner j -> "jinja2.utils.Joiner object";
      case Macro m -> "jinja2.runtime.Macro object";
      case LoopContext l -> "jinja2.runtime.LoopContext object";
      case Values.Markup m -> "markupsafe.Markup object";
      default -> Values.typeName(owner) + " object";
    };
  }
}
