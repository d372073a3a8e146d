package dev.ridgeline.model;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataValue;

/**
 * The hyperparameters of one architecture, {@code <architecture>.<key>}. Every accessor checks the
 * range and refuses nonsense in one line that names the file, the key, the value and what was
 * expected.
 */
final class Keys {
  private final Metadata metadata;
  private final String architecture;

  Keys(Metadata metadata, String architecture) {
    this.metadata = metadata;
    this.architecture = architecture;
  }

  /** {@code general.architecture}. */
  String architecture() {
    return architecture;
  }

  /** All of the file's metadata. */
  Metadata metadata() {
    return metadata;
  }

  boolean has(String key) {
    return metadata.has(name(key));
  }

  /** An integer from 1 to {@code max}. */
  int count(String key, int max) {
    return inRange(key, metadata.integer(name(key)), 1, max);
  }

  /** An integer from 1 to {@code max}, or {@code otherwise} when the key is missing. */
  int count(String key, int max, int otherwise) {
    return has(key) ? count(key, max) : otherwise;
  }

  /** An integer from 0 to {@code max}, or {@code otherwise} when the key is missing. */
  int countOrNone(String key, int max, int otherwise) {
    return has(key) ? inRange(key, metadata.integer(name(key)), 0, max) : otherwise;
  }

  /** A finite number above 0. */
  float positive(String key) {
    float value = (float) metadata.number(name(key));
    if (!(value > 0) || Float.isInfinite(value)) {
      throw refuse(key, value, "a finite number above 0");
    }
    return value;
  }

  /** A finite number above 0, or {@code otherwise} when the key is missing. */
  float positive(String key, float otherwise) {
    return has(key) ? positive(key) : otherwise;
  }

  /** A finite number above 0; {@code otherwise} when the key is missing or its value is 0. */
  float positiveOrNone(String key, float otherwise) {
    return has(key) && metadata.number(name(key)) != 0 ? positive(key) : otherwise;
  }

  /** A finite number of 0 or above, or {@code otherwise} when the key is missing. */
  float cap(String key, float otherwise) {
    return has(key) && metadata.number(name(key)) == 0 ? 0 : positive(key, otherwise);
  }

  /** The string, or {@code otherwise} when the key is missing. */
  String string(String key, String otherwise) {
    return metadata.string(name(key), otherwise);
  }

  /**
   * For each layer, whether it has a sliding window. The key {@code
   * attention.sliding_window_pattern} holds a period n (every n-th layer sees everything, the
   * others a window) or a flag for each layer.
   *
   * @param period the period where the file does not say
   */
  boolean[] windowed(int layers, int period) {
    String key = "attention.sliding_window_pattern";
    if (metadata.values().get(name(key)) instanceof MetadataValue.Bools(boolean[] flags)) {
      if (flags.length != layers) {
        throw refuse(key, flags.length + " flags", layers + ", one for each layer");
      }
      return flags.clone();
    }
    int n = count(key, Integer.MAX_VALUE, period);
    boolean[] windowed = new boolean[layers];
    for (int i = 0; i < layers; i++) {
      windowed[i] = i % n < n - 1;
    }
    return windowed;
  }

  /** The error for a value that makes no sense. */
  GgufException refuse(String key, Object found, String expected) {
    return metadata.origin().refuse(name(key), "is %s; expected %s".formatted(found, expected));
  }

  private int inRange(String key, long value, int min, int max) {
    if (value < min || value > max) {
      throw refuse(key, value, min + " to " + max);
    }
    return (int) value;
  }

  private String name(String key) {
    return architecture + "." + key;
  }
}
