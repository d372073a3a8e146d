package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Generator;
import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Range;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import dev.ridgeline.tokenizer.template.Values.View;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What Python does with its values: truth, equality, order, iteration, subscripts. */
final class Ops {
  final Budget budget;
  private final Repr repr;

  Ops(Budget budget) {
    this.budget = budget;
    this.repr = new Repr(budget);
  }

  String str(Object value) {
    return repr.str(value);
  }

  String repr(Object value) {
    return repr.repr(value);
  }

  static boolean truth(Object value) {
    return switch (value) {
      case Boolean b -> b;
      case None n -> false;
      case Undefined u -> false;
      case Long l -> l != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case LoopContext loop -> loop.length() > 0;
      default -> {
        Integer size = size(value);
        yield size == null || size > 0;
      }
    };
  }

  /** Python's {@code len}, cheap for all but text; null where there is none. */
  private static @Nullable Integer size(Object value) {
    return switch (value) {
      case String s -> Text.length(s);
      case Markup m -> Text.length(m.text());
      case List<?> l -> l.size();
      case Tuple t -> t.items().size();
      case Dict d -> d.size();
      case Range r -> r.length();
      case View v -> v.items().size();
      case Undefined u -> 0;
      case LoopContext loop -> loop.length();
      default -> null;
    };
  }

  /** Python's {@code len}; null where there is none. */
  @Nullable Integer lengthOrNull(Object value) {
    String text = Values.text(value);
    if (text != null) {
      budget.scan(text.length());
    }
    return size(value);
  }

  long length(Object value) {
    Integer length = lengthOrNull(value);
    if (length == null) {
      throw Fault.type("object of type '%s' has no len()", Values.typeName(value));
    }
    return length;
  }

  boolean equal(Object a, Object b) {
    budget.spend(1);
    if (a == b && !(a instanceof Double)) {
      return true;
    }
    String text = Values.text(a);
    if (text != null) {
      String other = Values.text(b);
      budget.scan(other != null && other.length() == text.length() ? text.length() : 0);
      return text.equals(other);
    }
    if (isNumber(a) && isNumber(b)) {
      return !isNan(a) && !isNan(b) && compareNumbers(a, b) == 0;
    }
    budget.enter();
    boolean equal =
        switch (a) {
          case List<?> x -> b instanceof List<?> y && allEqual(x, y);
          case Tuple x -> b instanceof Tuple y && allEqual(x.items(), y.items());
          case Dict x -> b instanceof Dict y && equalDicts(x, y);
          case Range x -> b instanceof Range && Dict.hashed(a).equals(Dict.hashed(b));
          case Undefined x -> b instanceof Undefined;
          default -> false;
        };
    budget.exit();
    return equal;
  }

  private boolean allEqual(List<?> a, List<?> b) {
    return a.size() == b.size() && firstDifference(a, b) == a.size();
  }

  private int firstDifference(List<?> a, List<?> b) {
    int i = 0;
    while (i < a.size() && i < b.size() && same(a.get(i), b.get(i))) {
      i++;
    }
    return i;
  }

  /** Inside containers, one and the same object counts as equal, NaN too. */
  private boolean same(Object a, Object b) {
    return a == b || equal(a, b);
  }

  private boolean equalDicts(Dict a, Dict b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (Dict.Entry entry : a.entries()) {
      Object other = b.get(entry.key());
      if (other == null || !same(entry.value(), other)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double d && d.isNaN();
  }

  private static int compareNumbers(Object a, Object b) {
    Long x = Values.integer(a);
    Long y = Values.integer(b);
    if (x != null && y != null) {
      return Long.compare(x, y);
    }
    double p = x == null ? (Double) a : x.doubleValue();
    double q = y == null ? (Double) b : y.doubleValue();
    if (p != q || Double.isInfinite(p) || (x == null && y == null)) {
      return p < q ? -1 : p > q ? 1 : 0;
    }
    return exact(a, x).compareTo(exact(b, y)); // a long beyond 2^53 and a double that look equal
  }

  private static BigDecimal exact(Object value, @Nullable Long integer) {
    return integer == null ? new BigDecimal((Double) value) : BigDecimal.valueOf(integer);
  }

  /** {@code a OP b} for {@code <}, {@code <=}, {@code >} or {@code >=}. */
  boolean ordered(String operator, Object a, Object b) {
    budget.spend(1);
    if (isNumber(a) && isNumber(b)) {
      return !isNan(a) && !isNan(b) && holds(operator, compareNumbers(a, b));
    }
    String x = Values.text(a);
    String y = Values.text(b);
    if (x != null && y != null) {
      budget.scan(Math.min(x.length(), y.length()));
      return holds(operator, Text.compare(x, y));
    }
    if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
      return orderedLists(operator, elementsOf(a), elementsOf(b));
    }
    failIfUndefined(a);
    failIfUndefined(b);
    throw Fault.type(
        "'%s' not supported between instances of '%s' and '%s'",
        operator, Values.typeName(a), Values.typeName(b));
  }

  private static List<Object> elementsOf(Object value) {
    List<Object> elements = Values.elements(value);
    return elements == null ? List.of() : elements;
  }

  private boolean orderedLists(String operator, List<Object> a, List<Object> b) {
    budget.enter();
    int i = firstDifference(a, b);
    boolean result =
        (i < a.size() && i < b.size())
            ? ordered(operator, a.get(i), b.get(i))
            : holds(operator, Integer.compare(a.size(), b.size()));
    budget.exit();
    return result;
  }

  private static boolean holds(String operator, int comparison) {
    return switch (operator) {
      case "<" -> comparison < 0;
      case "<=" -> comparison <= 0;
      case ">" -> comparison > 0;
      default -> comparison >= 0;
    };
  }

  static void failIfUndefined(Object value) {
    if (value instanceof Undefined u) {
      throw u.fault();
    }
  }

  boolean contains(Object container, Object item) {
    String text = Values.text(container);
    if (text != null) {
      String part = Values.text(item);
      if (part == null) {
        throw Fault.type(
            "'in <string>' requires string as left operand, not %s", Values.typeName(item));
      }
      paySearch(text, part);
      return text.contains(part);
    }
    if (container instanceof Dict dict) {
      return dict.contains(item);
    }
    if (!isIterable(container)) {
      throw Fault.type("argument of type '%s' is not iterable", Values.typeName(container));
    }
    for (Iterator<Object> it = iterate(container); it.hasNext(); ) {
      if (same(it.next(), item)) {
        return true;
      }
    }
    return false;
  }

  /** Pays for finding every {@code part} in {@code text}, by the worst case. */
  void paySearch(String text, String part) {
    long n = text.length();
    budget.scan(n * Math.max(1, Math.min(part.length() >> 1, n)));
  }

  static boolean isIterable(Object value) {
    return value instanceof Generator || (size(value) != null && !(value instanceof LoopContext));
  }

  Iterator<Object> iterate(Object value) {
    return new Counted(
        switch (value) {
          case String s -> characters(s);
          case Markup m -> characters(m.text());
          case Dict d -> d.keys().iterator();
          case View v -> v.items().iterator();
          case Generator g -> started(g);
          case Undefined u -> List.of().iterator();
          case Range r -> IntStream.range(0, r.length()).<Object>mapToObj(r::at).iterator();
          default -> {
            List<Object> elements = Values.elements(value);
            if (elements == null) {
              throw Fault.type("'%s' object is not iterable", Values.typeName(value));
            }
            yield elements.iterator();
          }
        });
  }

  private Iterator<Object> started(Generator generator) {
    budget.enter();
    Iterator<Object> iterator = generator.iterator();
    budget.exit();
    return iterator;
  }

  private Iterator<Object> characters(String s) {
    return new LazyIterator(
        s.codePoints().<Object>mapToObj(Character::toString).iterator(),
        character -> {
          budget.make(1);
          return character;
        });
  }

  /** Pays for every element; lazy sequences of lazy sequences nest. */
  private final class Counted implements Iterator<Object> {
    private final Iterator<Object> inner;

    Counted(Iterator<Object> inner) {
      this.inner = inner;
    }

    @Override
    public boolean hasNext() {
      budget.enter();
      boolean hasNext = inner.hasNext();
      budget.exit();
      return hasNext;
    }

    @Override
    public Object next() {
      budget.spend(2);
      budget.enter();
      Object next = inner.next();
      budget.exit();
      return next;
    }
  }

  List<Object> list(Object value) {
    List<Object> list = new ArrayList<>();
    iterate(value).forEachRemaining(list::add);
    return list;
  }

  /** The {@code count} elements of {@code value}, which must have as many. */
  List<Object> unpack(Object value, int count) {
    if (!isIterable(value)) {
      throw Fault.type("cannot unpack non-iterable %s object", Values.typeName(value));
    }
    List<Object> items = new ArrayList<>();
    Iterator<Object> it = iterate(value);
    while (items.size() < count && it.hasNext()) {
      items.add(it.next());
    }
    if (items.size() < count) {
      throw Fault.value("not enough values to unpack (expected %d, got %d)", count, items.size());
    }
    if (it.hasNext()) {
      throw Fault.value("too many values to unpack (expected %d)", count);
    }
    return items;
  }

  /** {@code object.name} as Jinja means it: the attribute, else the element of that key. */
  Object member(Object object, String name) {
    Object value = Attributes.get(object, name);
    if (value == null) {
      value = subscript(object, name);
    }
    return value == null ? Undefined.member(object, name) : value;
  }

  /** {@code object[key]} as Jinja means it: the element, else the attribute of that name. */
  Object item(Object object, Object key) {
    Object value = subscript(object, key);
    String name = Values.text(key);
    if (value == null && name != null) {
      value = Attributes.get(object, name);
    }
    return value == null ? Undefined.member(object, key) : value;
  }

  /** The element, or null where Python raises a lookup or type error. */
  private @Nullable Object subscript(Object object, Object key) {
    failIfUndefined(object);
    if (object instanceof Dict dict) {
      try {
        return dict.get(key);
      } catch (Fault unhashable) {
        return null;
      }
    }
    Long index = Values.integer(key);
    Integer length = index == null ? null : lengthOrNull(object);
    if (index == null || length == null) {
      return null;
    }
    long i = index < 0 ? index + length : index;
    return i < 0 || i >= length ? null : at(object, (int) i);
  }

  private static @Nullable Object at(Object object, int i) {
    return switch (object) {
      case String s -> Text.substring(s, i, i + 1);
      case Markup m -> new Markup(Text.substring(m.text(), i, i + 1));
      case Range r -> r.at(i);
      default -> {
        List<Object> elements = Values.elements(object);
        yield elements == null ? null : elements.get(i);
      }
    };
  }

  /** {@code object[start:stop:step]}. */
  Object slice(Object object, Object start, Object stop, Object step) {
    failIfUndefined(object);
    if (object instanceof Dict) {
      throw Fault.type("unhashable type: 'slice'");
    }
    List<Object> elements = Values.elements(object);
    String text = Values.text(object);
    if (elements == null && text == null && !(object instanceof Range)) {
      throw Fault.type("'%s' object is not subscriptable", Values.typeName(object));
    }
    Slice slice = Slice.of(start, stop, step, (int) length(object));
    budget.spend(slice.count());
    return switch (object) {
      case String s -> slice.of(s);
      case Markup m -> new Markup(slice.of(m.text()));
      case Range r -> slice.of(r);
      case Tuple t -> new Tuple(slice.of(t.items()));
      default -> slice.of(elementsOf(object));
    };
  }

  /** {@code count} indices from {@code start}, {@code step} apart, before {@code stop}. */
  private record Slice(long start, long stop, long step, int count) {
    static Slice of(Object start, Object stop, Object step, int length) {
      long by = step == None.NONE ? 1 : index(step);
      if (by == 0) {
        throw Fault.value("slice step cannot be zero");
      }
      long low = by > 0 ? 0 : -1;
      long high = by > 0 ? length : length - 1;
      long from =
          start == None.NONE ? (by > 0 ? low : high) : clamp(index(start), length, low, high);
      long to = stop == None.NONE ? (by > 0 ? high : low) : clamp(index(stop), length, low, high);
      long span = by > 0 ? to - from : from - to;
      long size = Math.abs(Math.max(by, -Long.MAX_VALUE));
      return new Slice(from, to, by, span <= 0 ? 0 : (int) ((span - 1) / size + 1));
    }

    private static long index(Object value) {
      Long index = Values.integer(value);
      if (index == null) {
        throw Fault.type("slice indices must be integers or None or have an __index__ method");
      }
      return index;
    }

    private static long clamp(long index, int length, long low, long high) {
      return Math.clamp(index < 0 ? index + length : index, low, high);
    }

    List<Object> of(List<Object> elements) {
      List<Object> part = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        part.add(elements.get((int) (start + i * step)));
      }
      return part;
    }

    String of(String s) {
      if (step == 1) {
        return Text.substring(s, (int) start, (int) start + count);
      }
      int[] codePoints = s.codePoints().toArray();
      StringBuilder out = new StringBuilder(count);
      for (int i = 0; i < count; i++) {
        out.appendCodePoint(codePoints[(int) (start + i * step)]);
      }
      return out.toString();
    }

    Range of(Range r) {
      return new Range(r.at(start), r.at(stop), r.step() * step, count);
    }
  }

  /**
   * A stable sort by {@code keys}, which asks nothing but {@code <}. Not {@code Arrays.sort}: that
   * throws where an order contradicts itself, and NaN makes it so.
   */
  List<Object> sorted(List<Object> items, List<Object> keys, boolean reverse) {
    if (reverse) { // backwards before and after: equal elements keep their order
      return sorted(items.reversed(), keys.reversed(), false).reversed();
    }
    int n = items.size();
    int[] order = IntStream.range(0, n).toArray();
    for (int width = 1; width < n; width *= 2) {
      int[] merged = new int[n];
      for (int from = 0; from < n; from += 2 * width) {
        int middle = Math.min(n, from + width);
        merge(order, merged, from, middle, Math.min(n, middle + width), keys);
      }
      order = merged;
    }
    List<Object> sorted = new ArrayList<>(n);
    for (int i : order) {
      sorted.add(items.get(i));
    }
    return sorted;
  }

  private void merge(int[] order, int[] merged, int from, int middle, int to, List<Object> keys) {
    int left = from;
    int right = middle;
    for (int i = from; i < to; i++) {
      boolean takeRight =
          right < to
              && (left == middle || ordered("<", keys.get(order[right]), keys.get(order[left])));
      merged[i] = takeRight ? order[right++] : order[left++];
    }
  }
}
