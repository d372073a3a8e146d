package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.Block;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of one block; what a block sets does not leak into the blocks around it. */
final class Scope {
  /** Declared and not given: hides the same name of the scopes around. */
  static final Object MISSING = new Object();

  private final @Nullable Scope parent;
  private final Map<String, Object> variables = new HashMap<>();

  Scope(@Nullable Scope parent) {
    this.parent = parent;
  }

  /** The variables of {@code block}, which stands among those of {@code parent}. */
  Scope(Scope parent, Block block) {
    this(parent);
    block.frame().hidden().forEach(name -> set(name, MISSING));
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      Object value = scope.variables.get(name);
      if (value != null) {
        return value == MISSING ? Undefined.variable(name) : value;
      }
    }
    return Undefined.variable(name);
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  boolean isMissing(String name) {
    return variables.get(name) == MISSING;
  }
}
