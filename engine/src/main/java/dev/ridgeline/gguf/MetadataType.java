package dev.ridgeline.gguf;

import java.util.Optional;

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

  private static final MetadataType[] BY_ID = new MetadataType[13];

  static {
    for (MetadataType type : values()) {
      BY_ID[type.id] = type;
    }
  }

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

  /** Whether this is one of the eight integer types. */
  public boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
    };
  }

  /** Whether this is FLOAT32 or FLOAT64. */
  public boolean isFloat() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /**
   * Whether a value of this integer type can be {@code value}; a UINT64 can be any, its 64 bits as
   * they are.
   */
  boolean holds(long value) {
    return switch (this) {
      case UINT8 -> value >>> 8 == 0;
      case INT8 -> value == (byte) value;
      case UINT16 -> value >>> 16 == 0;
      case INT16 -> value == (short) value;
      case UINT32 -> value >>> 32 == 0;
      case INT32 -> value == (int) value;
      case UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
    };
  }

  /** Fewest bytes that a value takes in a file: an empty string is 8, an empty array 12. */
  int minimumBytes() {
    return switch (this) {
      case STRING -> Long.BYTES;
      case ARRAY -> Integer.BYTES + Long.BYTES;
      default -> bytes;
    };
  }

  /** The type with number {@code id}, if there is one. */
  static Optional<MetadataType> ofId(long id) {
    return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.of(BY_ID[(int) id]);
  }
}
