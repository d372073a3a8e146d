package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Function;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} of a for block. */
final class LoopContext {
  /** Renders the loop's body for another sequence, one level deeper. */
  interface Recursion {
    String render(Object iterable, int depth);
  }

  private final @Nullable Recursion recursion;
  private final int depth;
  private Iterator<Object> iterator;
  private int length; // -1 until known
  private int index0 = -1;
  private @Nullable Object previous;
  private @Nullable Object current;
  private @Nullable Object peeked;
  private @Nullable Tuple lastChanged;

  /** {@code length} is -1 where the sequence does not tell; {@code depth} counts from 0. */
  LoopContext(Iterator<Object> iterator, int length, @Nullable Recursion recursion, int depth) {
    this.iterator = iterator;
    this.length = length;
    this.recursion = recursion;
    this.depth = depth;
  }

  boolean hasNext() {
    return peeked != null || iterator.hasNext();
  }

  Object next() {
    Object value = peeked == null ? iterator.next() : peeked;
    peeked = null;
    index0++;
    previous = current;
    current = value;
    return value;
  }

  private @Nullable Object peek() {
    if (peeked == null && iterator.hasNext()) {
      peeked = iterator.next();
    }
    return peeked;
  }

  int index0() {
    return index0;
  }

  int length() {
    if (length < 0) {
      List<Object> rest = new ArrayList<>();
      iterator.forEachRemaining(rest::add);
      iterator = rest.iterator();
      length = rest.size() + index0 + 1 + (peeked == null ? 0 : 1);
    }
    return length;
  }

  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1L;
      case "index0" -> (long) index0;
      case "revindex" -> (long) length() - index0;
      case "revindex0" -> length() - index0 - 1L;
      case "first" -> index0 == 0;
      case "last" -> peek() == null;
      case "length" -> (long) length();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" ->
          index0 == 0 || previous == null
              ? Undefined.because("there is no previous item")
              : previous;
      case "nextitem" -> {
        Object next = peek();
        yield next == null ? Undefined.because("there is no next item") : next;
      }
      case "cycle" -> new Function("method", "<bound method LoopContext.cycle>", this::cycle);
      case "changed" -> new Function("method", "<bound method LoopContext.changed>", this::changed);
      default -> null;
    };
  }

  private Object cycle(Interpreter in, Args args) {
    if (args.count() == 0) {
      throw Fault.type("no items for cycling given");
    }
    return args.positional().get(index0 % args.count());
  }

  private Object changed(Interpreter in, Args args) {
    Tuple value = new Tuple(args.positional());
    boolean changed = lastChanged == null || !in.ops.equal(lastChanged, value);
    lastChanged = value;
    return changed;
  }

  /** {@code loop(iterable)} in a recursive loop. */
  Object call(Args args) {
    if (recursion == null) {
      throw Fault.type("The loop must have the 'recursive' marker to be called recursively.");
    }
    return recursion.render(args.bind("loop", 1, "iterable").get(0), depth + 1);
  }
}
