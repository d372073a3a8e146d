package dev.ridgeline.gguf;

import java.util.OptionalInt;

/**
 * The layout of a GGUF file, versions 2 and 3, and the bounds within which this package reads and
 * writes it. All numbers are little-endian, nothing in the header is padded.
 *
 * <pre>
 *   file    = "GGUF" version:u32 tensors:u64 pairs:u64 pair* tensor* padding data
 *   pair    = key:string type:u32 value
 *   string  = length:u64 UTF-8 bytes
 *   array   = type:u32 count:u64 value*
 *   tensor  = name:string dimensions:u32 ne:u64[dimensions] dtype:u32 offset:u64
 * </pre>
 *
 * {@code data} starts at the next multiple of {@code general.alignment} (32 where the key is
 * missing); a tensor's offset counts from there and is a multiple of it too. The two versions
 * differ only in that version 3 allows big-endian files, which this package refuses. A split model
 * is several such files: the first holds the metadata, each holds {@code split.no} (from 0), {@code
 * split.count} and {@code split.tensors.count}, the tensors of all parts together.
 *
 * <p>The bounds stand far above what released models need (in brackets) and keep a hostile file
 * from costing more than a second or a few hundred megabytes.
 *
 * <p>Source: {@code gguf.md} and {@code gguf-split} of the ggml project.
 */
final class Format {
  /** {@code "GGUF"}, read as a little-endian number. */
  static final int MAGIC = 0x46554747;

  static final int OLDEST_VERSION = 2;
  static final int NEWEST_VERSION = 3;

  static final String ALIGNMENT_KEY = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MIN_ALIGNMENT = 8;
  static final int MAX_ALIGNMENT = 1 << 16;

  static final String SPLIT_NO_KEY = "split.no";
  static final String SPLIT_COUNT_KEY = "split.count";
  static final String SPLIT_TENSORS_KEY = "split.tensors.count";
  static final int MAX_PARTS = 65535;

  /** Bytes before the data (about 30 MB, where a file embeds a tokenizer's JSON). */
  static final long MAX_HEADER_BYTES = 1L << 28;

  /** Metadata pairs (about 60). */
  static final int MAX_PAIRS = 1 << 16;

  /** Bytes of one string value (about 30 MB, likewise). */
  static final int MAX_STRING_BYTES = 1 << 26;

  /** Bytes of a metadata key, as the format's description bounds it (about 60). */
  static final int MAX_KEY_BYTES = 65535;

  /** Bytes of a tensor's name (64). */
  static final int MAX_TENSOR_NAME_BYTES = 1024;

  /** Elements of all arrays together (1.3 million). */
  static final int MAX_ARRAY_ELEMENTS = 1 << 22;

  /** Arrays within arrays (1). */
  static final int MAX_ARRAY_DEPTH = 8;

  /** Tensors of one file (tens of thousands). */
  static final int MAX_TENSORS = 1 << 18;

  static final int MAX_DIMENSIONS = 4;

  private Format() {}

  /** The alignment that a value of {@link #ALIGNMENT_KEY} means, if it is a sound one. */
  static OptionalInt alignment(MetadataValue value) {
    return value instanceof MetadataValue.Int(MetadataType type, long alignment)
            && type == MetadataType.UINT32
            && alignment >= MIN_ALIGNMENT
            && alignment <= MAX_ALIGNMENT
            && Long.bitCount(alignment) == 1
        ? OptionalInt.of((int) alignment)
        : OptionalInt.empty();
  }

  /** The next multiple of {@code alignment}, a power of two, from {@code offset} on. */
  static long align(long offset, int alignment) {
    return (offset + alignment - 1) & -alignment;
  }
}
