package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Body;
import dev.ridgeline.tokenizer.template.Values.Cycler;
import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Joiner;
import dev.ridgeline.tokenizer.template.Values.Namespace;
import dev.ridgeline.tokenizer.template.Values.Range;
import java.util.List;
import java.util.Map;

/** The functions that every template may call. */
final class Globals {
  /** The sandbox that Hugging Face renders in allows no longer range. */
  private static final long MAX_RANGE = 100_000;

  private static final Map<String, Function> FUNCTIONS =
      Map.of(
          "range", function("safe_range", Globals::range),
          "raise_exception", function("raise_exception", Globals::raise),
          "strftime_now", function("strftime_now", Globals::now),
          "dict", type("dict", (in, args) -> dict(in, args)),
          "namespace", type("jinja2.utils.Namespace", (in, args) -> new Namespace(dict(in, args))),
          "cycler", type("jinja2.utils.Cycler", Globals::cycler),
          "joiner",
              type(
                  "jinja2.utils.Joiner",
                  (in, args) -> new Joiner(args.bind("joiner", 0, "sep").get(0, ", "))));

  private Globals() {}

  static Scope scope() {
    Scope scope = new Scope(null);
    FUNCTIONS.forEach(scope::set);
    return scope;
  }

  private static Function function(String name, Body body) {
    return new Function("function", "<function " + name + ">", body);
  }

  private static Function type(String name, Body body) {
    return new Function("type", "<class '" + name + "'>", body);
  }

  private static Object range(Interpreter in, Args args) {
    Args.Bound bound = args.positionalOnly("range", 1, 3);
    boolean hasStart = args.count() > 1;
    long start = hasStart ? bound.integer(0) : 0;
    long stop = bound.integer(hasStart ? 1 : 0);
    long step = bound.integer(2, 1);
    if (step == 0) {
      throw Fault.value("range() arg 3 must not be zero");
    }
    double span = ((double) stop - start) / step; // as a double: the difference may overflow
    if (span > MAX_RANGE) {
      throw Fault.overflow(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", MAX_RANGE);
    }
    return new Range(start, stop, step, (int) Math.max(0, Math.ceil(span)));
  }

  private static Object raise(Interpreter in, Args args) {
    Object message = args.bind("raise_exception", 1, "message").get(0);
    throw new Fault("TemplateError", in.ops.str(message));
  }

  private static Object now(Interpreter in, Args args) {
    Args.Bound bound = args.bind("strftime_now", 1, "format");
    String now = Strftime.format(in.clock, bound.text(0), in.budget);
    in.budget.build(now.length());
    return now;
  }

  private static Object cycler(Interpreter in, Args args) {
    if (args.count() == 0) {
      throw new Fault("RuntimeError", "at least one item has to be provided");
    }
    return new Cycler(args.positional());
  }

  /** Python's {@code dict(mapping or pairs, **named)}. */
  private static Dict dict(Interpreter in, Args args) {
    Dict dict = new Dict();
    if (args.count() > 1) {
      throw Fault.type("dict expected at most 1 argument, got %d", args.count());
    }
    if (args.count() == 1) {
      Object from = args.positional().get(0);
      if (from instanceof Dict other) {
        in.budget.make(other.size());
        dict.putAll(other);
      } else {
        putPairs(in, dict, in.ops.list(from));
      }
    }
    args.named().forEach(dict::put);
    return dict;
  }

  private static void putPairs(Interpreter in, Dict dict, List<Object> pairs) {
    for (int i = 0; i < pairs.size(); i++) {
      if (!Ops.isIterable(pairs.get(i))) {
        throw Fault.type("cannot convert dictionary update sequence element #%d to a sequence", i);
      }
      List<Object> pair = in.ops.list(pairs.get(i));
      if (pair.size() != 2) {
        throw Fault.value(
            "dictionary update sequence element #%d has length %d; 2 is required", i, pair.size());
      }
      dict.put(pair.get(0), pair.get(1));
    }
  }
}
