package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Args.Bound;
import dev.ridgeline.tokenizer.template.Filters.Filter;
import dev.ridgeline.tokenizer.template.Values.Generator;
import dev.ridgeline.tokenizer.template.Values.None;
import dev.ridgeline.tokenizer.template.Values.Range;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import dev.ridgeline.tokenizer.template.Values.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The filters that work on sequences and mappings; several give lazy sequences, as Jinja's do. */
final class SequenceFilters {
  private SequenceFilters() {}

  static Map<String, Filter> all() {
    Map<String, Filter> filters = new HashMap<>();
    filters.put("length", (in, value, args) -> in.ops.length(value));
    filters.put("count", (in, value, args) -> in.ops.length(value));
    filters.put("list", (in, value, args) -> in.ops.list(value));
    filters.put("first", SequenceFilters::first);
    filters.put("last", SequenceFilters::last);
    filters.put("join", SequenceFilters::join);
    filters.put("reverse", SequenceFilters::reverse);
    filters.put("items", SequenceFilters::items);
    filters.put("dictsort", SequenceFilters::dictSort);
    filters.put("sort", SequenceFilters::sort);
    filters.put("groupby", SequenceFilters::groupBy);
    filters.put("unique", SequenceFilters::unique);
    filters.put("min", (in, value, args) -> extreme(in, value, args, "<"));
    filters.put("max", (in, value, args) -> extreme(in, value, args, ">"));
    filters.put("sum", SequenceFilters::sum);
    filters.put("batch", SequenceFilters::batch);
    filters.put("slice", SequenceFilters::slice);
    filters.put("map", SequenceFilters::map);
    filters.put("select", (in, value, args) -> select(in, value, args, false, true));
    filters.put("reject", (in, value, args) -> select(in, value, args, false, false));
    filters.put("selectattr", (in, value, args) -> select(in, value, args, true, true));
    filters.put("rejectattr", (in, value, args) -> select(in, value, args, true, false));
    return filters;
  }

  private static Generator lazy(Supplier<Iterator<Object>> elements) {
    return new Generator("generator", elements);
  }

  /** The value at a path like {@code a.0.b} of an element; without a path, the element. */
  private static UnaryOperator<Object> getter(
      Interpreter in, Object path, boolean ignoreCase, @Nullable Object missing) {
    List<Object> parts = parts(path);
    return element -> {
      Object value = element;
      for (Object part : parts) {
        value = in.ops.item(value, part);
        value = missing != null && value instanceof Undefined ? missing : value;
      }
      return ignoreCase ? lower(in, value) : value;
    };
  }

  private static List<Object> parts(Object path) {
    String text = Values.text(path);
    if (text == null) {
      return path == None.NONE ? List.of() : List.of(path);
    }
    List<Object> parts = new ArrayList<>();
    for (String part : text.split("\\.", -1)) {
      boolean number =
          !part.isEmpty() && part.length() < 19 && part.chars().allMatch(Character::isDigit);
      parts.add(number ? Long.valueOf(part) : part);
    }
    return parts;
  }

  private static Object lower(Interpreter in, Object value) {
    String text = Values.text(value);
    if (text == null) {
      return value;
    }
    in.budget.build(text.length());
    return Text.lower(text);
  }

  private static Object first(Interpreter in, Object value, Args args) {
    Iterator<Object> it = in.ops.iterate(value);
    return it.hasNext() ? it.next() : Undefined.because("No first item, sequence was empty.");
  }

  private static Object last(Interpreter in, Object value, Args args) {
    List<Object> elements = reversible(in, value);
    if (elements == null) {
      throw Fault.type("'%s' object is not reversible", Values.typeName(value));
    }
    return elements.isEmpty()
        ? Undefined.because("No last item, sequence was empty.")
        : elements.getLast();
  }

  private static @Nullable List<Object> reversible(Interpreter in, Object value) {
    boolean reversible =
        Values.text(value) != null
            || Values.elements(value) != null
            || value instanceof Dict
            || value instanceof View
            || value instanceof Range
            || value instanceof Undefined;
    return reversible ? in.ops.list(value) : null;
  }

  private static Object reverse(Interpreter in, Object value, Args args) {
    if (Values.text(value) != null) {
      return in.ops.slice(value, None.NONE, None.NONE, -1L);
    }
    List<Object> elements = reversible(in, value);
    if (elements == null) {
      if (!Ops.isIterable(value)) {
        throw Fault.argument("argument must be iterable");
      }
      List<Object> list = in.ops.list(value);
      Collections.reverse(list);
      return list;
    }
    String type =
        switch (value) {
          case Tuple t -> "reversed";
          case Range r -> "range_iterator";
          case Dict d -> "dict_reversekeyiterator";
          case View v -> v.typeName().replace("dict_", "dict_reverse").replaceAll("s$", "iterator");
          default -> "list_reverseiterator";
        };
    Collections.reverse(elements);
    return new Generator(type, elements::iterator);
  }

  private static Object join(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("join", 0, "d", "attribute");
    UnaryOperator<Object> getter = getter(in, bound.get(1), false, null);
    List<String> parts = new ArrayList<>();
    for (Iterator<Object> it = in.ops.iterate(value); it.hasNext(); ) {
      parts.add(in.ops.str(getter.apply(it.next())));
    }
    return StringMethods.join(in.budget, in.ops.str(bound.get(0, "")), parts);
  }

  private static Object items(Interpreter in, Object value, Args args) {
    return lazy(
        () -> {
          if (value instanceof Undefined) {
            return Collections.emptyIterator();
          }
          if (!(value instanceof Dict dict)) {
            throw Fault.type("Can only get item pairs from a mapping.");
          }
          in.budget.make(dict.size());
          return dict.items().iterator();
        });
  }

  private static Object dictSort(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    String by = in.ops.str(bound.get(1, "key"));
    if (!by.equals("key") && !by.equals("value")) {
      throw Fault.argument("You can only sort by either \"key\" or \"value\"");
    }
    Ops.failIfUndefined(value);
    if (!(value instanceof Dict dict)) {
      throw Fault.attribute(value, "items");
    }
    List<Object> pairs = dict.items();
    UnaryOperator<Object> key =
        getter(in, by.equals("key") ? 0L : 1L, !bound.truth(0, false), null);
    return in.ops.sorted(pairs, keys(pairs, key), bound.truth(2, false));
  }

  private static List<Object> keys(List<Object> elements, UnaryOperator<Object> key) {
    List<Object> keys = new ArrayList<>(elements.size());
    elements.forEach(element -> keys.add(key.apply(element)));
    return keys;
  }

  private static Object sort(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    boolean ignoreCase = !bound.truth(1, false);
    String paths = Values.text(bound.get(2));
    List<UnaryOperator<Object>> getters =
        paths == null
            ? List.of(getter(in, bound.get(2), ignoreCase, null))
            : Stream.of(paths.split(",", -1)).map(p -> getter(in, p, ignoreCase, null)).toList();
    List<Object> elements = in.ops.list(value);
    List<Object> keys =
        keys(elements, e -> new ArrayList<Object>(getters.stream().map(g -> g.apply(e)).toList()));
    return in.ops.sorted(elements, keys, bound.truth(0, false));
  }

  private static Object groupBy(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("groupby", 1, "attribute", "default", "case_sensitive");
    boolean ignoreCase = !bound.truth(2, false);
    Object missing = bound.has(1) ? bound.get(1) : null;
    UnaryOperator<Object> key = getter(in, bound.get(0), ignoreCase, missing);
    UnaryOperator<Object> shown = getter(in, bound.get(0), false, missing);
    List<Object> elements = in.ops.list(value);
    List<Object> sorted = in.ops.sorted(elements, keys(elements, key), false);
    List<Object> groups = new ArrayList<>();
    int start = 0;
    for (int i = 1; i <= sorted.size(); i++) {
      if (i == sorted.size()
          || !in.ops.equal(key.apply(sorted.get(i)), key.apply(sorted.get(start)))) {
        List<Object> group = new ArrayList<>(sorted.subList(start, i));
        groups.add(
            new Tuple(List.of(shown.apply(group.get(0)), group), List.of("grouper", "list")));
        start = i;
      }
    }
    return groups;
  }

  private static Object unique(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("unique", 0, "case_sensitive", "attribute");
    UnaryOperator<Object> key = getter(in, bound.get(1), !bound.truth(0, false), null);
    Set<Object> seen = new HashSet<>();
    return lazy(
        () ->
            new LazyIterator(
                in.ops.iterate(value),
                element -> seen.add(Dict.hashed(key.apply(element))) ? element : null));
  }

  private static Object extreme(Interpreter in, Object value, Args args, String operator) {
    Bound bound = args.bind("min or max", 0, "case_sensitive", "attribute");
    UnaryOperator<Object> key = getter(in, bound.get(1), !bound.truth(0, false), null);
    Iterator<Object> it = in.ops.iterate(value);
    if (!it.hasNext()) {
      return Undefined.because("No aggregated item, sequence was empty.");
    }
    Object best = it.next();
    Object bestKey = key.apply(best);
    while (it.hasNext()) {
      Object element = it.next();
      Object elementKey = key.apply(element);
      if (in.ops.ordered(operator, elementKey, bestKey)) {
        best = element;
        bestKey = elementKey;
      }
    }
    return best;
  }

  private static Object sum(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("sum", 0, "attribute", "start");
    UnaryOperator<Object> getter = getter(in, bound.get(0), false, null);
    Object total = bound.get(1, 0L);
    if (Values.text(total) != null) {
      throw Fault.type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (Iterator<Object> it = in.ops.iterate(value); it.hasNext(); ) {
      total = in.arithmetic.binary("+", total, getter.apply(it.next()));
    }
    return total;
  }

  private static Object batch(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("batch", 1, "linecount", "fill_with");
    Long size = Values.integer(bound.get(0));
    return lazy(
        () -> {
          List<Object> batches = new ArrayList<>();
          List<Object> batch = new ArrayList<>();
          for (Object element : in.ops.list(value)) {
            if (size != null && batch.size() == size) {
              batches.add(batch);
              batch = new ArrayList<>();
            }
            in.budget.make(batch.isEmpty() ? 1 : 0);
            batch.add(element);
          }
          if (!batch.isEmpty()) {
            batches.add(batch);
            if (bound.has(1) && batch.size() < bound.integer(0)) {
              in.budget.spend(bound.integer(0));
              batch.addAll(
                  Collections.nCopies((int) bound.integer(0) - batch.size(), bound.get(1)));
            }
          }
          return batches.iterator();
        });
  }

  private static Object slice(Interpreter in, Object value, Args args) {
    Bound bound = args.bind("slice", 1, "slices", "fill_with");
    return lazy(
        () -> {
          List<Object> elements = in.ops.list(value);
          long slices = bound.integer(0);
          if (slices == 0) {
            throw new Fault("ZeroDivisionError", "integer division or modulo by zero");
          }
          in.budget.make(slices);
          List<Object> all = new ArrayList<>();
          for (int i = 0; i < slices; i++) {
            int longer = elements.size() % (int) slices;
            int each = elements.size() / (int) slices;
            int start = i * each + Math.min(i, longer);
            int end = start + each + (i < longer ? 1 : 0);
            List<Object> slice = new ArrayList<>(elements.subList(start, end));
            if (bound.has(1) && i >= longer) {
              slice.add(bound.get(1));
            }
            all.add(slice);
          }
          return all.iterator();
        });
  }

  private static Object map(Interpreter in, Object value, Args args) {
    return lazy(
        () ->
            Ops.truth(value)
                ? new LazyIterator(in.ops.iterate(value), mapping(in, args)::apply)
                : Collections.emptyIterator());
  }

  private static UnaryOperator<Object> mapping(Interpreter in, Args args) {
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    Object path = named.remove("attribute");
    if (args.count() == 0 && path != null) {
      Object missing = named.remove("default");
      if (!named.isEmpty()) {
        throw Fault.argument(
            "Unexpected keyword argument %s", Repr.quote(named.keySet().iterator().next()));
      }
      return getter(in, path, false, missing == None.NONE ? null : missing);
    }
    if (args.count() == 0) {
      throw Fault.argument("map requires a filter argument");
    }
    String name = name("filter", args.positional().get(0));
    Args rest = args.skip(1);
    return element -> Filters.apply(in, name, element, rest, ".");
  }

  private static String name(String kind, Object value) {
    String name = Values.text(value);
    if (name == null) {
      String hint =
          value instanceof Undefined u
              ? " (%s; did you forget to quote the callable name?)".formatted(u.fault().detail())
              : "";
      throw Fault.runtime("No %s named %s.%s", kind, Repr.brief(value), hint);
    }
    return name;
  }

  private static Object select(
      Interpreter in, Object value, Args args, boolean byAttribute, boolean keep) {
    return lazy(
        () -> {
          if (!Ops.truth(value)) {
            return Collections.emptyIterator();
          }
          if (byAttribute && args.count() == 0) {
            throw Fault.argument("Missing parameter for attribute name");
          }
          UnaryOperator<Object> getter =
              getter(in, byAttribute ? args.positional().get(0) : None.NONE, false, null);
          Args test = args.skip(byAttribute ? 1 : 0);
          return new LazyIterator(
              in.ops.iterate(value),
              element -> holds(in, getter.apply(element), test) == keep ? element : null);
        });
  }

  private static boolean holds(Interpreter in, Object value, Args test) {
    return test.count() == 0
        ? Ops.truth(value)
        : Tests.apply(in, name("test", test.positional().get(0)), value, test.skip(1), ".");
  }
}
