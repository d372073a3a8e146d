package dev.ridgeline.tokenizer.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the parser knows about the variables of one block.
 *
 * <p>Jinja decides about names when it compiles: a name that a block assigns before it reads it is
 * that block's own from the start, so that blocks inside of it find it undefined before the
 * assignment, even where the template was given a variable of that name. {@link #hidden} are those
 * names.
 */
final class Frame {
  private final @Nullable Frame parent;
  private final Set<String> mentioned = new HashSet<>();
  private final Set<String> assignedFirst = new HashSet<>();
  private final List<Fault> unknown = new ArrayList<>();
  private Set<String> hidden = Set.of();
  private int branches;

  Frame(@Nullable Frame parent) {
    this.parent = parent;
  }

  /** The name is read, or is a parameter. */
  void mention(String name) {
    mentioned.add(name);
  }

  void assign(String name) {
    if (mentioned.add(name) && branches == 0) {
      assignedFirst.add(name);
    }
  }

  /** Notes a filter or test that does not exist. */
  void unknown(Fault fault) {
    unknown.add(fault);
  }

  int unknownSoFar() {
    return unknown.size();
  }

  /** Jinja lets unknown filters pass in conditions and what they guard, until they run. */
  void forgive(int unknownBefore) {
    unknown.subList(unknownBefore, unknown.size()).clear();
  }

  void enterBranch() {
    branches++;
  }

  void leaveBranch() {
    branches--;
  }

  void failIfUnknown() {
    if (!unknown.isEmpty()) {
      throw unknown.getFirst();
    }
  }

  /** To be called when the blocks around are parsed too. */
  void resolve() {
    assignedFirst.removeIf(name -> parent != null && parent.knows(name));
    hidden = Set.copyOf(assignedFirst);
  }

  private boolean knows(String name) {
    return mentioned.contains(name) || (parent != null && parent.knows(name));
  }

  Set<String> hidden() {
    return hidden;
  }
}
