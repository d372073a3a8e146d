package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Cycler;
import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Joiner;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Namespace;
import dev.ridgeline.tokenizer.template.Values.Range;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import dev.ridgeline.tokenizer.template.Values.View;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The attributes and methods that templates may reach: a fixed list, no reflection. Python's
 * methods that change a list or a dict are there and unsafe, as in the sandbox of Hugging Face.
 */
final class Attributes {
  private static final Set<String> CHANGES_LIST =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> CHANGES_DICT =
      Set.of("clear", "pop", "popitem", "setdefault", "update");
  private static final Set<String> OF_EVERY_OBJECT =
      Set.of(
          "__class__",
          "__delattr__",
          "__dir__",
          "__doc__",
          "__eq__",
          "__format__",
          "__ge__",
          "__getattribute__",
          "__getstate__",
          "__gt__",
          "__hash__",
          "__init__",
          "__init_subclass__",
          "__le__",
          "__lt__",
          "__ne__",
          "__new__",
          "__reduce__",
          "__reduce_ex__",
          "__repr__",
          "__setattr__",
          "__sizeof__",
          "__str__",
          "__subclasshook__");

  private Attributes() {}

  /** The attribute, an {@link Undefined} that says it is unsafe, or null if there is none. */
  static @Nullable Object get(Object object, String name) {
    if (isInternal(object, name)) {
      return Undefined.unsafe(object, name);
    }
    Ops.failIfUndefined(object);
    return switch (object) {
      case String s -> StringMethods.get(s, false, name);
      case Markup m -> StringMethods.get(m.text(), true, name);
      case Dict dict ->
          CHANGES_DICT.contains(name) ? Undefined.unsafe(dict, name) : ofDict(dict, name);
      case Tuple tuple -> ofTuple(tuple, name);
      case Namespace namespace -> ofNamespace(namespace, name);
      case LoopContext loop -> loop.attribute(name);
      case Macro macro -> macro.attribute(name);
      case Cycler cycler -> ofCycler(cycler, name);
      case Joiner joiner ->
          switch (name) {
            case "sep" -> joiner.separator;
            case "used" -> joiner.used;
            default -> null;
          };
      case Range range -> ofRange(range, name);
      case Long number -> ofNumber(number, name);
      case Boolean number -> ofNumber(number ? 1L : 0L, name);
      case Double number -> ofFloat(number, name);
      default ->
          Values.elements(object) == null
              ? null
              : CHANGES_LIST.contains(name)
                  ? Undefined.unsafe(object, name)
                  : ofSequence(object, name);
    };
  }

  static Function method(String receiver, String name, Values.Body body) {
    return Function.method(receiver, name, body);
  }

  private static @Nullable Object ofDict(Dict dict, String name) {
    return switch (name) {
      case "keys" -> view(dict, name);
      case "values" -> view(dict, name);
      case "items" -> view(dict, name);
      case "get" ->
          method(
              "dict",
              name,
              (in, args) -> {
                Args.Bound bound = args.positionalOnly("dict.get", 1, 2);
                Object value = dict.get(bound.get(0));
                return value == null ? bound.get(1) : value;
              });
      case "copy" -> method("dict", name, (in, args) -> dict);
      case "fromkeys" -> unsupported("dict", name);
      default -> null;
    };
  }

  private static Function view(Dict dict, String name) {
    return method(
        "dict",
        name,
        (in, args) -> {
          args.positionalOnly("dict." + name, 0, 0);
          in.budget.make(dict.size());
          return new View(
              "dict_" + name,
              switch (name) {
                case "keys" -> dict.keys();
                case "values" -> dict.values();
                default -> dict.items();
              });
        });
  }

  /** A method that Python has and templates have no use for. */
  static Function unsupported(String receiver, String name) {
    return method(
        receiver,
        name,
        (in, args) -> {
          throw Fault.unsupported("%s.%s is not available in templates", receiver, name);
        });
  }

  private static @Nullable Object ofTuple(Tuple tuple, String name) {
    int named = tuple.names().indexOf(name);
    return named >= 0 ? tuple.items().get(named) : ofSequence(tuple, name);
  }

  private static @Nullable Object ofSequence(Object sequence, String name) {
    String type = Values.typeName(sequence);
    return switch (name) {
      case "index" -> method(type, name, (in, args) -> index(in.ops, sequence, args));
      case "count" ->
          method(
              type,
              name,
              (in, args) -> {
                Object item = args.positionalOnly(type + ".count", 1, 1).get(0);
                long count = 0;
                for (Object element : in.ops.list(sequence)) {
                  count += in.ops.equal(element, item) ? 1 : 0;
                }
                return count;
              });
      case "copy" -> sequence instanceof Tuple ? null : method(type, name, (in, args) -> sequence);
      default -> null;
    };
  }

  /** Python's own attributes; a dict may have keys that look like the less usual ones. */
  private static boolean isInternal(Object object, String name) {
    return name.startsWith("__")
        && name.endsWith("__")
        && (OF_EVERY_OBJECT.contains(name)
            || !(object instanceof Dict || object instanceof Undefined));
  }

  private static Object index(Ops ops, Object sequence, Args args) {
    Args.Bound bound = args.positionalOnly(Values.typeName(sequence) + ".index", 1, 3);
    int size = (int) ops.length(sequence);
    long start = bound.integer(1, 0);
    long stop = bound.integer(2, size);
    Object part = ops.slice(sequence, start, stop, 1L); // clamps both ends as list.index does
    long offset = Math.clamp(start < 0 ? start + size : start, 0L, size);
    for (Object element : ops.list(part)) {
      if (ops.equal(element, bound.get(0))) {
        return offset;
      }
      offset++;
    }
    throw sequence instanceof Tuple
        ? Fault.value("tuple.index(x): x not in tuple")
        : Fault.value("%s is not in list", Repr.brief(bound.get(0)));
  }

  private static @Nullable Object ofNamespace(Namespace namespace, String name) {
    Object value = namespace.attributes().get(name);
    return value != null && name.startsWith("_") ? Undefined.unsafe(namespace, name) : value;
  }

  private static @Nullable Object ofCycler(Cycler cycler, String name) {
    return switch (name) {
      case "current" -> cycler.current();
      case "pos" -> (long) cycler.position;
      case "items" -> new Tuple(cycler.items);
      case "next" -> method("Cycler", name, (in, args) -> cycler.next());
      case "reset" ->
          method(
              "Cycler",
              name,
              (in, args) -> {
                cycler.position = 0;
                return Values.None.NONE;
              });
      default -> null;
    };
  }

  private static @Nullable Object ofRange(Range range, String name) {
    return switch (name) {
      case "start" -> range.start();
      case "stop" -> range.stop();
      case "step" -> range.step();
      case "index", "count" -> unsupported("range", name);
      default -> null;
    };
  }

  private static @Nullable Object ofNumber(long number, String name) {
    return switch (name) {
      case "real", "numerator" -> number;
      case "imag" -> 0L;
      case "denominator" -> 1L;
      case "bit_length" ->
          method("int", name, (in, args) -> 64L - Long.numberOfLeadingZeros(Math.abs(number)));
      case "conjugate" -> method("int", name, (in, args) -> number);
      case "as_integer_ratio" -> method("int", name, (in, args) -> new Tuple(number, 1L));
      case "bit_count", "from_bytes", "to_bytes" -> unsupported("int", name);
      default -> null;
    };
  }

  private static @Nullable Object ofFloat(double number, String name) {
    return switch (name) {
      case "real" -> number;
      case "imag" -> 0.0;
      case "is_integer" -> method("float", name, (in, args) -> number == Math.rint(number));
      case "conjugate" -> method("float", name, (in, args) -> number);
      case "as_integer_ratio", "fromhex", "hex" -> unsupported("float", name);
      default -> null;
    };
  }
}
