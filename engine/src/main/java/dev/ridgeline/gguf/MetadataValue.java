package dev.ridgeline.gguf;

import java.util.List;

/**
 * A metadata value with the type that the file gives it. Arrays inside are the value's own storage:
 * who makes or reads one does not change it afterwards.
 */
public sealed interface MetadataValue {
  /** The type that the file gives the value; ARRAY for every array. */
  default MetadataType type() {
    return MetadataType.ARRAY;
  }

  /** Elements of an array; 1 for any other value. */
  default int count() {
    return 1;
  }

  /** The type in words, for listings and errors: {@code UINT32}, {@code ARRAY of 32000 STRING}. */
  default String typeName() {
    return type().name();
  }

  /** The value for a message: its type, and what it is where that is short. */
  default String describe() {
    return type() == MetadataType.ARRAY
        ? typeName()
        : typeName() + " " + GgufException.quote(toString());
  }

  /** Any integer type; a UINT64 above 2^63 - 1 is kept as its 64 bits, that is negative. */
  record Int(MetadataType type, long value) implements MetadataValue {
    /** Checks that {@code type} is an integer type which can hold {@code value}. */
    public Int {
      if (!type.holds(value)) {
        throw new IllegalArgumentException(value + " is not a value of type " + type);
      }
    }

    @Override
    public String toString() {
      return type == MetadataType.UINT64 ? Long.toUnsignedString(value) : Long.toString(value);
    }
  }

  /** FLOAT32 or FLOAT64. */
  record Real(MetadataType type, double value) implements MetadataValue {
    /** Rounds {@code value} to what the file can hold: a float for FLOAT32. */
    public Real {
      requireFloat(type);
      value = type == MetadataType.FLOAT32 ? (float) value : value;
    }

    @Override
    public String toString() {
      return type == MetadataType.FLOAT32 ? Float.toString((float) value) : Double.toString(value);
    }
  }

  /** BOOL. */
  record Bool(boolean value) implements MetadataValue {
    @Override
    public MetadataType type() {
      return MetadataType.BOOL;
    }

    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }

  /** STRING, UTF-8 in the file. */
  record Text(String value) implements MetadataValue {
    @Override
    public MetadataType type() {
      return MetadataType.STRING;
    }

    @Override
    public String toString() {
      return value;
    }
  }

  /** ARRAY of integers; UINT64 elements as in {@link Int}. */
  record Ints(MetadataType elementType, long[] values) implements MetadataValue {
    /** Checks that {@code elementType} is an integer type which can hold the values. */
    public Ints {
      if (!elementType.isInteger()) {
        throw new IllegalArgumentException(elementType + " is not an integer type");
      }
      for (long value : values) {
        if (!elementType.holds(value)) {
          throw new IllegalArgumentException(value + " is not a value of type " + elementType);
        }
      }
    }

    @Override
    public int count() {
      return values.length;
    }

    @Override
    public String typeName() {
      return arrayOf(count(), elementType);
    }
  }

  /** ARRAY of floats. */
  record Reals(MetadataType elementType, double[] values) implements MetadataValue {
    /** Checks that {@code elementType} is FLOAT32 or FLOAT64. */
    public Reals {
      requireFloat(elementType);
    }

    @Override
    public int count() {
      return values.length;
    }

    @Override
    public String typeName() {
      return arrayOf(count(), elementType);
    }
  }

  /** ARRAY of BOOL. */
  record Bools(boolean[] values) implements MetadataValue {
    @Override
    public int count() {
      return values.length;
    }

    @Override
    public String typeName() {
      return arrayOf(count(), MetadataType.BOOL);
    }
  }

  /** ARRAY of STRING. */
  record Texts(List<String> values) implements MetadataValue {
    /** Takes a copy where the list could change. */
    public Texts {
      values = List.copyOf(values);
    }

    @Override
    public int count() {
      return values.size();
    }

    @Override
    public String typeName() {
      return arrayOf(count(), MetadataType.STRING);
    }
  }

  /** ARRAY of arrays. */
  record Arrays(List<MetadataValue> values) implements MetadataValue {
    /** Checks that every element is an array. */
    public Arrays {
      values = List.copyOf(values);
      for (MetadataValue value : values) {
        if (value.type() != MetadataType.ARRAY) {
          throw new IllegalArgumentException(value.typeName() + " in an array of arrays");
        }
      }
    }

    @Override
    public int count() {
      return values.size();
    }

    @Override
    public String typeName() {
      return arrayOf(count(), MetadataType.ARRAY);
    }
  }

  /** A UINT32, the type of most hyperparameters. */
  static MetadataValue uint32(long value) {
    return new Int(MetadataType.UINT32, value);
  }

  /** A FLOAT32. */
  static MetadataValue float32(double value) {
    return new Real(MetadataType.FLOAT32, value);
  }

  private static void requireFloat(MetadataType type) {
    if (!type.isFloat()) {
      throw new IllegalArgumentException(type + " is neither FLOAT32 nor FLOAT64");
    }
  }

  private static String arrayOf(int count, MetadataType elementType) {
    return "ARRAY of " + count + " " + elementType;
  }
}
