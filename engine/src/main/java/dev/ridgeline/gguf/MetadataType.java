package dev.ridgeline.gguf;

/** Metadata value types; {@link #id()} is the number in the file. */
public enum MetadataType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  STRING(8, 0),
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  private final int id;
  private final int bytes;

  MetadataType(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** The type's number in the file. */
  public int id() {
    return id;
  }

  /** Bytes of a value; 0 for strings and arrays, whose length varies. */
  public int bytes() {
    return bytes;
  }
}
