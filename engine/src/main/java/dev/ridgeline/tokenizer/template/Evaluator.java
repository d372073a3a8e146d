package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.Arguments;
import dev.ridgeline.tokenizer.template.Node.Expr;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Evaluates expressions. */
final class Evaluator {
  private final Interpreter in;

  Evaluator(Interpreter in) {
    this.in = in;
  }

  Object evaluate(Expr expr, Scope scope) {
    in.budget.spend(1);
    in.budget.enter();
    try {
      Object value = value(expr, scope);
      in.budget.exit();
      return value;
    } catch (Fault fault) {
      throw fault.at(expr.line());
    }
  }

  private Object value(Expr expr, Scope scope) {
    return switch (expr) {
      case Node.Literal literal -> literal.value();
      case Node.Name name -> scope.get(name.name());
      case Node.Member member -> in.ops.member(evaluate(member.object(), scope), member.name());
      case Node.Item item ->
          in.ops.item(evaluate(item.object(), scope), evaluate(item.key(), scope));
      case Node.Slice slice -> slice(slice, scope);
      case Node.Call call -> call(call, scope, null);
      case Node.Filter filter -> filter(filter, scope, None.NONE);
      case Node.Test test -> test(test, scope);
      case Node.Not not -> !Ops.truth(evaluate(not.operand(), scope));
      case Node.Sign sign -> sign(sign, scope);
      case Node.Binary binary -> binary(binary, scope);
      case Node.Logical logical -> logical(logical, scope);
      case Node.Compare compare -> compare(compare, scope);
      case Node.Concat concat -> concat(concat, scope);
      case Node.Conditional conditional -> conditional(conditional, scope);
      case Node.ListOf list -> all(list.items(), scope);
      case Node.TupleOf tuple -> new Tuple(all(tuple.items(), scope));
      case Node.DictOf dict -> dict(dict, scope);
    };
  }

  private List<Object> all(List<Expr> items, Scope scope) {
    in.budget.make(1);
    List<Object> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(evaluate(item, scope));
    }
    return values;
  }

  private Object dict(Node.DictOf literal, Scope scope) {
    in.budget.make(literal.keys().size());
    List<Object> keysAndValues = new ArrayList<>();
    for (int i = 0; i < literal.keys().size(); i++) {
      keysAndValues.add(evaluate(literal.keys().get(i), scope));
      keysAndValues.add(evaluate(literal.values().get(i), scope));
    }
    Dict dict = new Dict();
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      dict.put(keysAndValues.get(i), keysAndValues.get(i + 1));
    }
    return dict;
  }

  private Object slice(Node.Slice slice, Scope scope) {
    return in.ops.slice(
        evaluate(slice.object(), scope),
        bound(slice.start(), scope),
        bound(slice.stop(), scope),
        bound(slice.step(), scope));
  }

  private Object bound(@Nullable Expr expr, Scope scope) {
    return expr == null ? None.NONE : evaluate(expr, scope);
  }

  private Object sign(Node.Sign sign, Scope scope) {
    Object value = evaluate(sign.operand(), scope);
    return sign.negative() ? in.arithmetic.negate(value) : in.arithmetic.plus(value);
  }

  private Object binary(Node.Binary binary, Scope scope) {
    Object left = evaluate(binary.left(), scope);
    return in.arithmetic.binary(binary.operator(), left, evaluate(binary.right(), scope));
  }

  private Object logical(Node.Logical logical, Scope scope) {
    Object left = evaluate(logical.left(), scope);
    return Ops.truth(left) == logical.and() ? evaluate(logical.right(), scope) : left;
  }

  private Object compare(Node.Compare compare, Scope scope) {
    Object left = evaluate(compare.first(), scope);
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = evaluate(compare.others().get(i), scope);
      if (!holds(compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private boolean holds(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> in.ops.equal(left, right);
      case "!=" -> !in.ops.equal(left, right);
      case "in" -> in.ops.contains(right, left);
      case "not in" -> !in.ops.contains(right, left);
      default -> in.ops.ordered(operator, left, right);
    };
  }

  private Object concat(Node.Concat concat, Scope scope) {
    List<String> parts = new ArrayList<>(concat.parts().size());
    for (Object part : all(concat.parts(), scope)) {
      parts.add(in.ops.str(part));
    }
    return StringMethods.join(in.budget, "", parts);
  }

  private Object conditional(Node.Conditional conditional, Scope scope) {
    if (Ops.truth(evaluate(conditional.test(), scope))) {
      return evaluate(conditional.then(), scope);
    }
    return conditional.otherwise() == null
        ? Undefined.because(
            "the inline if-expression on line %d evaluated to false and no else section was defined."
                .formatted(conditional.line()))
        : evaluate(conditional.otherwise(), scope);
  }

  /** {@code caller} is what a call block hands to the macro it calls. */
  Object call(Node.Call call, Scope scope, @Nullable Macro caller) {
    Object callee = evaluate(call.callee(), scope);
    Args args = arguments(call.arguments(), scope);
    if (caller != null) {
      Map<String, Object> named = new LinkedHashMap<>(args.named());
      named.put("caller", caller);
      args = new Args(args.positional(), named);
    }
    return in.call(callee, args);
  }

  private Args arguments(Arguments arguments, Scope scope) {
    if (arguments == Arguments.NONE) {
      return Args.NONE;
    }
    List<Object> positional = all(arguments.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < arguments.names().size(); i++) {
      putOnce(named, arguments.names().get(i), evaluate(arguments.named().get(i), scope));
    }
    if (arguments.spread() != null) {
      Object values = evaluate(arguments.spread(), scope);
      if (!Ops.isIterable(values)) {
        throw Fault.type("argument after * must be an iterable, not %s", Values.typeName(values));
      }
      positional.addAll(in.ops.list(values));
    }
    if (arguments.spreadNamed() != null) {
      Object values = evaluate(arguments.spreadNamed(), scope);
      if (!(values instanceof Dict dict)) {
        throw Fault.type("argument after ** must be a mapping, not %s", Values.typeName(values));
      }
      for (Dict.Entry entry : dict.entries()) {
        String name = Values.text(entry.key());
        if (name == null) {
          throw Fault.type("keywords must be strings");
        }
        putOnce(named, name, entry.value());
      }
    }
    return new Args(positional, named);
  }

  private static void putOnce(Map<String, Object> named, String name, Object value) {
    if (named.put(name, value) != null) {
      throw Fault.type("got multiple values for keyword argument %s", Repr.quote(name));
    }
  }

  /** Applies a chain of filters whose innermost works on {@code blockText} if it has no operand. */
  Object filter(Node.Filter outermost, Scope scope, Object blockText) {
    Deque<Node.Filter> chain = new ArrayDeque<>();
    Expr operand = outermost;
    while (operand instanceof Node.Filter filter) {
      chain.push(filter);
      operand = filter.value();
    }
    Object value = operand == null ? blockText : evaluate(operand, scope);
    for (Node.Filter filter : chain) {
      in.budget.spend(1);
      Args args = arguments(filter.arguments(), scope);
      try {
        value = Filters.apply(in, filter.name(), value, args, " found.");
      } catch (Fault fault) {
        throw fault.at(filter.line());
      }
    }
    return value;
  }

  private Object test(Node.Test test, Scope scope) {
    Object value = evaluate(test.value(), scope);
    return Tests.apply(in, test.name(), value, arguments(test.arguments(), scope), " found.");
  }
}
