package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.AttributeTarget;
import dev.ridgeline.tokenizer.template.Node.Block;
import dev.ridgeline.tokenizer.template.Node.CallBlock;
import dev.ridgeline.tokenizer.template.Node.Expr;
import dev.ridgeline.tokenizer.template.Node.For;
import dev.ridgeline.tokenizer.template.Node.MacroDef;
import dev.ridgeline.tokenizer.template.Node.NameTarget;
import dev.ridgeline.tokenizer.template.Node.Stmt;
import dev.ridgeline.tokenizer.template.Node.Target;
import dev.ridgeline.tokenizer.template.Node.TupleTarget;
import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Joiner;
import dev.ridgeline.tokenizer.template.Values.Namespace;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Executes statements; one instance renders one template once. */
final class Interpreter {
  /** How a statement ended. */
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  final Budget budget;
  final Ops ops;
  final Arithmetic arithmetic;
  final Clock clock;
  private final Evaluator evaluator = new Evaluator(this);

  Interpreter(RenderLimits limits, Clock clock) {
    this.budget = new Budget(limits);
    this.ops = new Ops(budget);
    this.arithmetic = new Arithmetic(ops);
    this.clock = clock;
  }

  /** What {@code template} writes, given {@code variables}. */
  String render(Block template, Scope variables) {
    return render(template.statements(), new Scope(variables, template));
  }

  private String render(List<Stmt> body, Scope scope) {
    StringBuilder out = new StringBuilder();
    run(body, scope, out);
    return out.toString();
  }

  private Flow run(List<Stmt> body, Scope scope, StringBuilder out) {
    budget.enter();
    Flow flow = Flow.NEXT;
    for (int i = 0; i < body.size() && flow == Flow.NEXT; i++) {
      Stmt statement = body.get(i);
      budget.spend(1);
      try {
        flow = execute(statement, scope, out);
      } catch (Fault fault) {
        throw fault.at(statement.line());
      }
    }
    budget.exit();
    return flow;
  }

  private Flow execute(Stmt statement, Scope scope, StringBuilder out) {
    switch (statement) {
      case Node.Data data -> write(data.text(), out);
      case Node.Print print -> write(ops.str(evaluator.evaluate(print.value(), scope)), out);
      case Node.If branch -> {
        return runIf(branch, scope, out);
      }
      case For loop -> {
        return runFor(loop, scope, out);
      }
      case Node.Set set -> {
        checkNamespaces(set.target(), scope);
        assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
      }
      case Node.SetBlock set -> {
        return runSetBlock(set, scope);
      }
      case MacroDef macro -> {
        budget.make(1);
        scope.set(String.valueOf(macro.name()), new Macro(macro, scope));
      }
      case CallBlock block -> {
        Macro caller = new Macro(block.caller(), scope);
        write(ops.str(evaluator.call(block.call(), scope, caller)), out);
      }
      case Node.FilterBlock block -> {
        return runFilterBlock(block, scope, out);
      }
      case Node.With with -> {
        return runWith(with, scope, out);
      }
      case Node.Break b -> {
        return Flow.BREAK;
      }
      case Node.Continue c -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.NEXT;
  }

  private void write(String text, StringBuilder out) {
    budget.build(text.length());
    out.append(text);
    budget.check(out);
  }

  private Flow runIf(Node.If branch, Scope scope, StringBuilder out) {
    for (int i = 0; i < branch.tests().size(); i++) {
      if (Ops.truth(evaluator.evaluate(branch.tests().get(i), scope))) {
        return run(branch.bodies().get(i), scope, out);
      }
    }
    return run(branch.otherwise(), scope, out);
  }

  private Flow runSetBlock(Node.SetBlock set, Scope scope) {
    Scope inner = new Scope(scope, set.body());
    StringBuilder text = new StringBuilder();
    Flow flow = run(set.body().statements(), inner, text);
    if (flow == Flow.NEXT) {
      Object value = text.toString();
      if (set.filter() != null) {
        value = evaluator.filter(set.filter(), inner, value);
      }
      checkNamespaces(set.target(), scope);
      assign(set.target(), value, scope);
    }
    return flow;
  }

  private Flow runFilterBlock(Node.FilterBlock block, Scope scope, StringBuilder out) {
    Scope inner = new Scope(scope, block.body());
    StringBuilder text = new StringBuilder();
    Flow flow = run(block.body().statements(), inner, text);
    if (flow == Flow.NEXT) {
      write(ops.str(evaluator.filter(block.filter(), inner, text.toString())), out);
    }
    return flow;
  }

  private Flow runWith(Node.With with, Scope scope, StringBuilder out) {
    Scope inner = new Scope(scope, with.body());
    for (int i = 0; i < with.targets().size(); i++) {
      assign(with.targets().get(i), evaluator.evaluate(with.values().get(i), scope), inner);
    }
    return run(with.body().statements(), inner, out);
  }

  private Flow runFor(For loop, Scope scope, StringBuilder out) {
    Object iterable = evaluator.evaluate(loop.iterable(), scope);
    if (loop.recursive()) {
      write(renderRecursively(loop, iterable, 0, scope), out);
      return Flow.NEXT;
    }
    LoopContext context =
        new LoopContext(elements(loop, iterable, scope), length(loop, iterable), null, 0);
    return iterate(loop, context, scope, out);
  }

  private String renderRecursively(For loop, Object iterable, int depth, Scope scope) {
    LoopContext context =
        new LoopContext(
            elements(loop, iterable, scope),
            length(loop, iterable),
            (deeper, level) -> renderRecursively(loop, deeper, level, scope),
            depth);
    StringBuilder out = new StringBuilder();
    iterate(loop, context, scope, out);
    return out.toString();
  }

  private int length(For loop, Object iterable) {
    Integer length = loop.condition() == null ? ops.lengthOrNull(iterable) : null;
    return length == null ? -1 : length;
  }

  private Flow iterate(For loop, LoopContext context, Scope scope, StringBuilder out) {
    boolean anyFinished = false;
    while (context.hasNext()) {
      Scope inner = new Scope(scope, loop.body());
      assign(loop.target(), context.next(), inner);
      inner.set("loop", context);
      Flow flow = run(loop.body().statements(), inner, out);
      if (flow == Flow.BREAK) {
        break;
      }
      anyFinished |= flow == Flow.NEXT; // as in Jinja, an iteration cut short does not count
    }
    if (anyFinished) {
      return Flow.NEXT;
    }
    return run(loop.otherwise().statements(), new Scope(scope, loop.otherwise()), out);
  }

  private Iterator<Object> elements(For loop, Object iterable, Scope scope) {
    Iterator<Object> all = ops.iterate(iterable);
    Expr condition = loop.condition();
    if (condition == null) {
      return all;
    }
    return new LazyIterator(
        all,
        element -> {
          Scope inner = new Scope(scope);
          assign(loop.target(), element, inner);
          return Ops.truth(evaluator.evaluate(condition, inner)) ? element : null;
        });
  }

  private void checkNamespaces(Target target, Scope scope) {
    switch (target) {
      case NameTarget name -> {}
      case AttributeTarget attribute -> namespace(attribute, scope);
      case TupleTarget tuple -> tuple.items().forEach(item -> checkNamespaces(item, scope));
    }
  }

  private static Namespace namespace(AttributeTarget target, Scope scope) {
    if (scope.get(target.namespace()) instanceof Namespace namespace) {
      return namespace;
    }
    throw Fault.runtime("cannot assign attribute on non-namespace object");
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case NameTarget name -> scope.set(name.name(), value);
      case AttributeTarget attribute ->
          namespace(attribute, scope).attributes().put(attribute.attribute(), value);
      case TupleTarget tuple -> unpack(tuple.items(), value, scope);
    }
  }

  private void unpack(List<Target> targets, Object value, Scope scope) {
    List<Object> items = ops.unpack(value, targets.size());
    for (int i = 0; i < items.size(); i++) {
      assign(targets.get(i), items.get(i), scope);
    }
  }

  /** Calls whatever can be called. */
  Object call(Object callee, Args args) {
    return switch (callee) {
      case Function function -> function.body().call(this, args);
      case Macro macro -> invoke(macro, args);
      case LoopContext loop -> loop.call(args);
      case Joiner joiner -> joiner.next();
      case Undefined undefined -> throw undefined.fault();
      default -> throw Fault.type("'%s' object is not callable", Values.typeName(callee));
    };
  }

  private String invoke(Macro macro, Args args) {
    MacroDef definition = macro.definition();
    Scope scope = new Scope(macro.closure(), definition.body());
    bind(definition, args, scope);
    int required = definition.parameters().size() - definition.defaults().size();
    for (int i = 0; i < definition.parameters().size(); i++) {
      String name = definition.parameters().get(i);
      if (scope.isMissing(name)) {
        scope.set(
            name,
            i < required
                ? Undefined.because("parameter '%s' was not provided".formatted(name))
                : evaluator.evaluate(definition.defaults().get(i - required), scope));
      }
    }
    return render(definition.body().statements(), scope);
  }

  private static void bind(MacroDef definition, Args args, Scope scope) {
    List<String> parameters = definition.parameters();
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    int given = Math.min(args.count(), parameters.size());
    for (int i = 0; i < parameters.size(); i++) {
      Object value = i < given ? args.positional().get(i) : named.remove(parameters.get(i));
      scope.set(parameters.get(i), value == null ? Scope.MISSING : value);
    }
    if (definition.usesCaller() && !parameters.contains("caller")) {
      Object caller = named.remove("caller");
      scope.set(
          "caller",
          caller == null || caller == None.NONE ? Undefined.because("No caller defined") : caller);
    }
    String name = definition.name() == null ? "None" : Repr.quote(definition.name());
    if (definition.usesKwargs()) {
      Dict kwargs = new Dict();
      named.forEach(kwargs::put);
      scope.set("kwargs", kwargs);
    } else if (!named.isEmpty()) {
      throw named.containsKey("caller")
          ? Fault.type(
              "macro %s was invoked with two values for the special caller argument."
                  + " This is most likely a bug.",
              name)
          : Fault.type(
              "macro %s takes no keyword argument %s",
              name, Repr.quote(named.keySet().iterator().next()));
    }
    if (definition.usesVarargs()) {
      List<Object> rest = args.positional().subList(given, args.count());
      scope.set("varargs", new Tuple(new ArrayList<>(rest)));
    } else if (args.count() > parameters.size()) {
      throw Fault.type("macro %s takes not more than %d argument(s)", name, parameters.size());
    }
  }
}
