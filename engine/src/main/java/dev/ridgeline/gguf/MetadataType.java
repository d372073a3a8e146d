package dev.ridgeline.gguf;

/** Metadata value types; {@link #id()} is the number in the file. */
public enum MetadataType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private final int bytes;

  MetadataType(int bytes) {
    this.bytes = bytes;
  }

  /** The type's number in the file: the format counts them in this order. */
  public int id() {
    return ordinal();
  }

  /** Bytes of a value; 0 for strings and arrays, whose length varies. */
  public int bytes() {
    return bytes;
  }
}
