package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Values.Markup;
import dev.ridgeline.tokenizer.template.Values.Range;
import dev.ridgeline.tokenizer.template.Values.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Python dict: insertion order, and keys that are equal in Python ({@code 1}, {@code 1.0}, {@code
 * True}) are one key.
 */
final class Dict {
  record Entry(Object key, Object value) {}

  private record TupleKey(List<Object> items) {}

  private static final Object UNDEFINED = new Object();

  /** Hashing and comparing a key takes as many steps, which are not counted. */
  private static final int MAX_KEY_ELEMENTS = 100;

  private final Map<Object, Entry> entries;

  Dict(int expected) {
    entries = LinkedHashMap.newLinkedHashMap(expected);
  }

  Dict() {
    entries = new LinkedHashMap<>();
  }

  /** Only while the dict is being made: templates see it unchanging. */
  void put(Object key, Object value) {
    entries.merge(hashed(key), new Entry(key, value), (old, now) -> new Entry(old.key(), value));
  }

  void putAll(Dict other) {
    other.entries().forEach(entry -> put(entry.key(), entry.value()));
  }

  @Nullable Object get(Object key) {
    Entry entry = entries.get(hashed(key));
    return entry == null ? null : entry.value();
  }

  boolean contains(Object key) {
    return entries.containsKey(hashed(key));
  }

  int size() {
    return entries.size();
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  List<Object> keys() {
    return new ArrayList<>(entries.values().stream().map(Entry::key).toList());
  }

  List<Object> values() {
    return new ArrayList<>(entries.values().stream().map(Entry::value).toList());
  }

  List<Object> items() {
    List<Object> items = new ArrayList<>(size());
    entries.values().forEach(entry -> items.add(new Tuple(entry.key(), entry.value())));
    return items;
  }

  /**
   * A Java object that equals another's exactly if the two values are one key in Python.
   *
   * @throws Fault if the value cannot be hashed
   */
  static Object hashed(Object key) {
    return hashed(key, new int[1]);
  }

  private static Object hashed(Object key, int[] elements) {
    if (++elements[0] > MAX_KEY_ELEMENTS) {
      throw new Fault("LimitError", "key of more than %d elements".formatted(MAX_KEY_ELEMENTS));
    }
    return switch (key) {
      case String s -> s;
      case Markup m -> m.text();
      case Boolean b -> b ? 1L : 0L;
      case Double d when d == Math.rint(d) && Math.abs(d) < 0x1p63 -> d.longValue();
      case Undefined u -> UNDEFINED;
      case Tuple t -> new TupleKey(t.items().stream().map(item -> hashed(item, elements)).toList());
      case Range r -> new TupleKey(hashed(r));
      case List<?> l -> throw unhashable(key);
      case Dict d -> throw unhashable(key);
      case Values.View v -> throw unhashable(key);
      default -> key;
    };
  }

  /** Ranges are equal if their elements are. */
  private static List<Object> hashed(Range r) {
    return switch (r.length()) {
      case 0 -> List.of("range");
      case 1 -> List.of("range", r.start());
      default -> List.of("range", r.start(), r.step(), r.length());
    };
  }

  private static Fault unhashable(Object key) {
    return Fault.type("unhashable type: '%s'", Values.typeName(key));
  }
}
