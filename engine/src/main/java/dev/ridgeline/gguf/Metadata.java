package dev.ridgeline.gguf;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The key-value pairs of a file, in file order. Accessors come in two forms: without a default they
 * throw {@link GgufException} when the key is missing, and both forms throw when it has another
 * kind of value than asked for.
 */
public final class Metadata {
  private final Origin origin;
  private final Map<String, MetadataValue> values;

  /**
   * Where metadata come from, for error messages.
   *
   * @param file its name
   * @param valueAt byte of each key's value, where that is known
   */
  public record Origin(String file, Map<String, Long> valueAt) {
    /** Copies the map. */
    public Origin {
      valueAt = Map.copyOf(valueAt);
    }

    /** The error "metadata key '{@code key}' {@code problem}", with the byte of the value. */
    public GgufException refuse(String key, String problem) {
      return at(key, "metadata key '" + key + "' " + problem);
    }

    /** The error {@code message}, with the byte of the value at {@code key}. */
    public GgufException at(String key, String message) {
      @Nullable Long at = valueAt.get(key);
      return at == null ? new GgufException(file, message) : new GgufException(file, at, message);
    }
  }

  /**
   * @param file name for error messages
   * @param values the pairs
   */
  public Metadata(String file, Map<String, MetadataValue> values) {
    this(new Origin(file, Map.of()), values);
  }

  Metadata(Origin origin, Map<String, MetadataValue> values) {
    this.origin = origin;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** The file these came from, for error messages. */
  public String file() {
    return origin.file;
  }

  /** The same, with the places of the values. */
  public Origin origin() {
    return origin;
  }

  /** All pairs, in file order. */
  public Map<String, MetadataValue> values() {
    return values;
  }

  /** Whether there is a value for {@code key}. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** The string at {@code key}. */
  public String string(String key) {
    return get(key, MetadataValue.Text.class, "a string").value();
  }

  /** The string at {@code key}, or {@code otherwise}. */
  public String string(String key, String otherwise) {
    return has(key) ? string(key) : otherwise;
  }

  /** The integer at {@code key}; a UINT64 above 2^63 - 1 is refused. */
  public long integer(String key) {
    MetadataValue.Int integer = get(key, MetadataValue.Int.class, "an integer");
    if (integer.type() == MetadataType.UINT64 && integer.value() < 0) {
      throw unexpected(key, integer, "an integer below 2^63");
    }
    return integer.value();
  }

  /** The integer at {@code key}, or {@code otherwise}. */
  public long integer(String key, long otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  /** The integer at {@code key}, which must lie from {@code min} to {@code max}. */
  public int integerWithin(String key, int min, int max) {
    long value = integer(key);
    if (value < min || value > max) {
      throw origin.refuse(key, "is %d; expected %d to %d".formatted(value, min, max));
    }
    return (int) value;
  }

  /** The integer at {@code key}, as above, or {@code otherwise}. */
  public int integerWithin(String key, int min, int max, int otherwise) {
    return has(key) ? integerWithin(key, min, max) : otherwise;
  }

  /** The finite float (or integer) at {@code key}. */
  public double number(String key) {
    if (values.get(key) instanceof MetadataValue.Int) {
      return integer(key);
    }
    MetadataValue.Real number = get(key, MetadataValue.Real.class, "a number");
    if (!Double.isFinite(number.value())) {
      throw unexpected(key, number, "a finite number");
    }
    return number.value();
  }

  /** The float (or integer) at {@code key}, or {@code otherwise}. */
  public double number(String key, double otherwise) {
    return has(key) ? number(key) : otherwise;
  }

  /** The flag at {@code key}. */
  public boolean bool(String key) {
    return get(key, MetadataValue.Bool.class, "a bool").value();
  }

  /** The flag at {@code key}, or {@code otherwise}. */
  public boolean bool(String key, boolean otherwise) {
    return has(key) ? bool(key) : otherwise;
  }

  /** The array of strings at {@code key}. */
  public List<String> strings(String key) {
    return get(key, MetadataValue.Texts.class, "an array of strings").values();
  }

  /** The array of integers at {@code key}; not a copy. A UINT64 above 2^63 - 1 is refused. */
  public long[] integers(String key) {
    MetadataValue.Ints array = get(key, MetadataValue.Ints.class, "an array of integers");
    if (array.elementType() == MetadataType.UINT64
        && Arrays.stream(array.values()).anyMatch(value -> value < 0)) {
      throw unexpected(key, array, "integers below 2^63");
    }
    return array.values();
  }

  /** The array of floats at {@code key}; not a copy. */
  public double[] numbers(String key) {
    return get(key, MetadataValue.Reals.class, "an array of floats").values();
  }

  /** The array of flags at {@code key}; not a copy. */
  public boolean[] bools(String key) {
    return get(key, MetadataValue.Bools.class, "an array of bools").values();
  }

  private <T extends MetadataValue> T get(String key, Class<T> type, String kind) {
    @Nullable MetadataValue value = values.get(key);
    if (value == null) {
      throw origin.refuse(key, "is missing; expected " + kind);
    }
    if (!type.isInstance(value)) {
      throw unexpected(key, value, kind);
    }
    return type.cast(value);
  }

  private GgufException unexpected(String key, MetadataValue value, String expected) {
    return origin.refuse(key, "is %s; expected %s".formatted(value.describe(), expected));
  }
}
