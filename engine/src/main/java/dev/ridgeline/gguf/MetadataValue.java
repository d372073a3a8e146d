package dev.ridgeline.gguf;

import java.util.List;

/** A metadata value with the type that the file gives it. */
public sealed interface MetadataValue {
  /** Any integer type; UINT64 above 2^63 - 1 is refused by the reader. */
  record Int(MetadataType type, long value) implements MetadataValue {}

  /** FLOAT32 or FLOAT64. */
  record Real(MetadataType type, double value) implements MetadataValue {}

  /** BOOL. */
  record Bool(boolean value) implements MetadataValue {}

  /** STRING, UTF-8. */
  record Text(String value) implements MetadataValue {}

  /** ARRAY of integers. */
  record Ints(MetadataType elementType, long[] values) implements MetadataValue {}

  /** ARRAY of floats. */
  record Reals(MetadataType elementType, double[] values) implements MetadataValue {}

  /** ARRAY of BOOL. */
  record Bools(boolean[] values) implements MetadataValue {}

  /** ARRAY of STRING. */
  record Texts(List<String> values) implements MetadataValue {}

  /** ARRAY of arrays. */
  record Arrays(List<MetadataValue> values) implements MetadataValue {}
}
