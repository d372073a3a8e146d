package dev.ridgeline.gguf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Puts the bytes of a file together one field at a time, well-formed or not. */
final class RawGguf {
  private final HeaderWriter out = new HeaderWriter();

  /**
   * The first four fields: the magic letters, the version, and how many tensors and pairs follow.
   */
  static RawGguf start(int version, long tensors, long pairs) {
    return new RawGguf().letters("GGUF").u32(version).u64(tensors).u64(pairs);
  }

  RawGguf letters(String text) {
    return bytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  RawGguf bytes(byte... bytes) {
    for (byte b : bytes) {
      out.int8(b);
    }
    return this;
  }

  RawGguf zeros(int count) {
    return bytes(new byte[count]);
  }

  RawGguf u8(int value) {
    out.int8(value);
    return this;
  }

  RawGguf u16(int value) {
    out.int16(value);
    return this;
  }

  RawGguf u32(long value) {
    out.int32(value);
    return this;
  }

  RawGguf u64(long value) {
    out.int64(value);
    return this;
  }

  /** Length and UTF-8. */
  RawGguf string(String text) {
    out.string(text);
    return this;
  }

  /** A key and the type of its value, which is to follow. */
  RawGguf key(String key, MetadataType type) {
    return string(key).u32(type.id());
  }

  /** A whole pair. */
  RawGguf pair(String key, MetadataValue value) {
    out.pair(key, value);
    return this;
  }

  /** What follows the key of an array: element type and count. */
  RawGguf array(int elementType, long count) {
    return u32(elementType).u64(count);
  }

  /** A whole entry of the tensor list. */
  RawGguf tensor(String name, long dtypeId, long offset, long... ne) {
    string(name).u32(ne.length);
    for (long n : ne) {
      u64(n);
    }
    return u32(dtypeId).u64(offset);
  }

  /** Zeros up to the next multiple of {@code alignment}. */
  RawGguf pad(int alignment) {
    return zeros((int) (Format.align(size(), alignment) - size()));
  }

  int size() {
    return out.bytes().remaining();
  }

  byte[] toBytes() {
    ByteBuffer bytes = out.bytes();
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }
}
