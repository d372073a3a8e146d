package dev.ridgeline.tokenizer.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The values that templates compute with. Python's {@code None} is {@link None#NONE}; {@code bool},
 * {@code int}, {@code float}, {@code str} and {@code list} are {@link Boolean}, {@link Long},
 * {@link Double}, {@link String} and {@link List}; the other types are here, in {@link Dict}, in
 * {@link Undefined}, in {@link LoopContext} and in {@link Macro}. As in the sandbox that Hugging
 * Face renders with, nothing but a {@link Namespace} and the iterators can change.
 */
final class Values {
  /** Deeper than any message; what is nested deeper could not be printed anyway. */
  static final int MAX_CONTEXT_DEPTH = 200;

  private Values() {}

  enum None {
    NONE
  }

  /** A tuple; {@code names} is empty but for the named tuples that {@code groupby} makes. */
  record Tuple(List<Object> items, List<String> names) {
    Tuple(Object... items) {
      this(List.of(items), List.of());
    }

    Tuple(List<Object> items) {
      this(items, List.of());
    }
  }

  /** A string that {@code safe} or {@code escape} marked: what is added to it gets escaped. */
  record Markup(String text) {
    static String escape(String text) {
      return text.replace("&", "&amp;")
          .replace("<", "&lt;")
          .replace(">", "&gt;")
          .replace("'", "&#39;")
          .replace("\"", "&#34;");
    }
  }

  /** A Python range; never longer than the sandbox allows. */
  record Range(long start, long stop, long step, int length) {
    long at(long index) {
      return start + index * step;
    }
  }

  /** {@code keys()}, {@code values()} or {@code items()} of a dict. */
  record View(String typeName, List<Object> items) {}

  /** A lazy sequence that can be walked once. */
  static final class Generator {
    final String typeName;
    private @Nullable Supplier<Iterator<Object>> start;
    private @Nullable Iterator<Object> iterator;

    Generator(String typeName, Supplier<Iterator<Object>> start) {
      this.typeName = typeName;
      this.start = start;
    }

    Iterator<Object> iterator() {
      if (start != null) {
        iterator = start.get();
        start = null;
      }
      return iterator == null ? List.of().iterator() : iterator;
    }
  }

  /** The one value whose attributes a template may set. */
  record Namespace(Dict attributes) {
    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  static final class Cycler {
    final List<Object> items;
    int position;

    Cycler(List<Object> items) {
      this.items = items;
    }

    Object current() {
      return items.get(position);
    }

    Object next() {
      Object value = current();
      position = (position + 1) % items.size();
      return value;
    }
  }

  static final class Joiner {
    final Object separator;
    boolean used;

    Joiner(Object separator) {
      this.separator = separator;
    }

    Object next() {
      Object value = used ? separator : "";
      used = true;
      return value;
    }
  }

  /** What a call does. */
  interface Body {
    Object call(Interpreter in, Args args);
  }

  /** A global function or a bound method; {@code display} is what printing it shows. */
  record Function(String typeName, String display, Body body) {
    static Function method(String receiverType, String name, Body body) {
      return new Function(
          "builtin_function_or_method",
          "<built-in method %s of %s object>".formatted(name, receiverType),
          body);
    }
  }

  static String typeName(Object value) {
    return switch (value) {
      case None n -> "NoneType";
      case Boolean b -> "bool";
      case Long l -> "int";
      case Double d -> "float";
      case String s -> "str";
      case Markup m -> "Markup";
      case List<?> l -> "list";
      case Tuple t -> t.names().isEmpty() ? "tuple" : "_GroupTuple";
      case Dict d -> "dict";
      case Undefined u -> "Undefined";
      case Range r -> "range";
      case View v -> v.typeName();
      case Generator g -> g.typeName;
      case Function f -> f.typeName();
      default -> value.getClass().getSimpleName(); // Macro, Namespace, LoopContext, Cycler, Joiner
    };
  }

  /** {@code str} or its subclass {@link Markup}: the text; else null. */
  static @Nullable String text(Object value) {
    return switch (value) {
      case String s -> s;
      case Markup m -> m.text();
      default -> null;
    };
  }

  /** {@code int} or its subclass {@code bool}: the number; else null. */
  static @Nullable Long integer(Object value) {
    return switch (value) {
      case Long l -> l;
      case Boolean b -> b ? 1L : 0L;
      default -> null;
    };
  }

  /** A list or tuple: its elements; else null. */
  @SuppressWarnings("unchecked") // every list in a template holds Objects
  static @Nullable List<Object> elements(Object value) {
    return switch (value) {
      case List<?> l -> (List<Object>) l;
      case Tuple t -> t.items();
      default -> null;
    };
  }

  /**
   * A template's value of a plain Java value.
   *
   * @throws IllegalArgumentException if it is, or holds, anything but maps, collections, text,
   *     numbers, booleans and null, or nests deeper than the budget allows
   */
  static Object fromJava(@Nullable Object value, int depthLeft) {
    if (depthLeft == 0) {
      throw new IllegalArgumentException("the template's context nests too deeply, or in a circle");
    }
    return switch (value) {
      case null -> None.NONE;
      case String s -> s;
      case Boolean b -> b;
      case Long l -> l;
      case Integer i -> i.longValue();
      case Short i -> i.longValue();
      case Byte i -> i.longValue();
      case BigInteger i -> fromBigInteger(i);
      case Double d -> d;
      case Float f -> f.doubleValue();
      case BigDecimal d -> d.doubleValue();
      case CharSequence s -> s.toString();
      case Map<?, ?> map -> {
        Dict dict = new Dict(map.size());
        map.forEach((k, v) -> dict.put(fromJava(k, depthLeft - 1), fromJava(v, depthLeft - 1)));
        yield dict;
      }
      case Collection<?> items -> {
        List<Object> list = new ArrayList<>(items.size());
        items.forEach(item -> list.add(fromJava(item, depthLeft - 1)));
        yield list;
      }
      default ->
          throw new IllegalArgumentException(
              "a template's context holds maps, collections, text, numbers, booleans and null;"
                  + " found "
                  + value.getClass().getName());
    };
  }

  private static Long fromBigInteger(BigInteger value) {
    if (value.bitLength() > 63) {
      throw new IllegalArgumentException("integer of more than 64 bits in a template's context");
    }
    return value.longValue();
  }
}
