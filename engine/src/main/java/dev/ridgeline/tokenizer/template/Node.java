package dev.ridgeline.tokenizer.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The syntax tree of a template; every node knows its line. */
sealed interface Node {
  int line();

  /** Something that has a value. */
  sealed interface Expr extends Node {}

  record Literal(Object value, int line) implements Expr {}

  record Name(String name, int line) implements Expr {}

  record ListOf(List<Expr> items, int line) implements Expr {}

  record TupleOf(List<Expr> items, int line) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values, int line) implements Expr {}

  /** {@code object.name}. */
  record Member(Expr object, String name, int line) implements Expr {}

  /** {@code object[key]}. */
  record Item(Expr object, Expr key, int line) implements Expr {}

  /** {@code object[start:stop:step]}. */
  record Slice(
      Expr object, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step, int line)
      implements Expr {}

  record Call(Expr callee, Arguments arguments, int line) implements Expr {}

  /** {@code value | name(arguments)}; the value of a block's filter is what the block rendered. */
  record Filter(@Nullable Expr value, String name, Arguments arguments, int line) implements Expr {}

  /** {@code value is name(arguments)}. */
  record Test(Expr value, String name, Arguments arguments, int line) implements Expr {}

  record Not(Expr operand, int line) implements Expr {}

  /** {@code -operand} or {@code +operand}. */
  record Sign(boolean negative, Expr operand, int line) implements Expr {}

  record Binary(String operator, Expr left, Expr right, int line) implements Expr {}

  /** {@code left and right} or {@code left or right}. */
  record Logical(boolean and, Expr left, Expr right, int line) implements Expr {}

  /** {@code first < a <= b ...}: each pair of neighbours is compared. */
  record Compare(Expr first, List<String> operators, List<Expr> others, int line) implements Expr {}

  /** {@code a ~ b ~ c}. */
  record Concat(List<Expr> parts, int line) implements Expr {}

  /** {@code then if test else otherwise}. */
  record Conditional(Expr test, Expr then, @Nullable Expr otherwise, int line) implements Expr {}

  /** What a call, a filter or a test is given: {@code (a, b, key=c, *spread, **spreadNamed)}. */
  record Arguments(
      List<Expr> positional,
      List<String> names,
      List<Expr> named,
      @Nullable Expr spread,
      @Nullable Expr spreadNamed) {
    static final Arguments NONE = new Arguments(List.of(), List.of(), List.of(), null, null);
  }

  /** Something that is assigned to. */
  sealed interface Target {}

  record NameTarget(String name) implements Target {}

  /** {@code namespace.attribute}. */
  record AttributeTarget(String namespace, String attribute) implements Target {}

  record TupleTarget(List<Target> items) implements Target {}

  /** Something that is executed. */
  sealed interface Stmt extends Node {}

  record Data(String text, int line) implements Stmt {}

  record Print(Expr value, int line) implements Stmt {}

  /** Statements with variables of their own. */
  record Block(Frame frame, List<Stmt> statements) {}

  /** {@code bodies[i]} runs where {@code tests[i]} is the first that holds. */
  record If(List<Expr> tests, List<List<Stmt>> bodies, List<Stmt> otherwise, int line)
      implements Stmt {}

  record For(
      Target target,
      Expr iterable,
      @Nullable Expr condition,
      boolean recursive,
      Block body,
      Block otherwise,
      int line)
      implements Stmt {}

  record Set(Target target, Expr value, int line) implements Stmt {}

  /** {@code {% set target | filter %}body{% endset %}}. */
  record SetBlock(Target target, @Nullable Filter filter, Block body, int line) implements Stmt {}

  /**
   * A macro, or the body of a call block.
   *
   * @param name null for a call block
   * @param defaults of the last parameters
   * @param usesCaller whether the body reads {@code caller} without declaring it; likewise the
   *     others
   */
  record MacroDef(
      @Nullable String name,
      List<String> parameters,
      List<Expr> defaults,
      boolean usesCaller,
      boolean usesKwargs,
      boolean usesVarargs,
      Block body,
      int line)
      implements Stmt {}

  record CallBlock(Call call, MacroDef caller, int line) implements Stmt {}

  record FilterBlock(Filter filter, Block body, int line) implements Stmt {}

  /** A block with variables of its own, {@code targets} at first. */
  record With(List<Target> targets, List<Expr> values, Block body, int line) implements Stmt {}

  record Break(int line) implements Stmt {}

  record Continue(int line) implements Stmt {}
}
