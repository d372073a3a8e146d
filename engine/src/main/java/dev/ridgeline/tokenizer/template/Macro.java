package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.MacroDef;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** A macro and the variables around its definition. */
record Macro(MacroDef definition, Scope closure) {
  @Nullable String name() {
    return definition.name();
  }

  @Nullable Object attribute(String attribute) {
    return switch (attribute) {
      case "name" -> definition.name() == null ? Values.None.NONE : definition.name();
      case "arguments" -> new Tuple(new ArrayList<Object>(definition.parameters()));
      case "catch_kwargs" -> definition.usesKwargs();
      case "catch_varargs" -> definition.usesVarargs();
      case "caller" -> definition.usesCaller();
      case "explicit_caller" -> definition.parameters().contains("caller");
      default -> null;
    };
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
