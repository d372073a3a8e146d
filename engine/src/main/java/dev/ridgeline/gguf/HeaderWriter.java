package dev.ridgeline.gguf;

import static dev.ridgeline.gguf.GgufException.quote;

import dev.ridgeline.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Puts the values of a header one after the other into memory, the mirror of {@link HeaderReader}.
 */
final class HeaderWriter {
  private final CharsetEncoder utf8 = StandardCharsets.UTF_8.newEncoder();
  private ByteBuffer buffer = allocate(1 << 16);

  /** What was put so far. */
  ByteBuffer bytes() {
    return buffer.duplicate().flip();
  }

  void int8(long value) {
    need(Byte.BYTES).put((byte) value);
  }

  void int16(long value) {
    need(Short.BYTES).putShort((short) value);
  }

  void int32(long value) {
    need(Integer.BYTES).putInt((int) value);
  }

  void int64(long value) {
    need(Long.BYTES).putLong(value);
  }

  /** Refuses half a surrogate pair, which UTF-8 cannot express. */
  void string(String text) {
    try {
      ByteBuffer encoded = utf8.encode(CharBuffer.wrap(text));
      int64(encoded.remaining());
      need(encoded.remaining()).put(encoded);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(quote(text) + " is not well-formed Unicode", e);
    }
  }

  void pair(String key, MetadataValue value) {
    string(key);
    int32(value.type().id());
    value(value);
  }

  void tensor(String name, Shape shape, int dtypeId, long offset) {
    string(name);
    long[] ne = {shape.ne0(), shape.ne1(), shape.ne2(), shape.ne3()};
    int dimensions = ne.length;
    while (dimensions > 1 && ne[dimensions - 1] == 1) {
      dimensions--;
    }
    int32(dimensions);
    for (int i = 0; i < dimensions; i++) {
      int64(ne[i]);
    }
    int32(dtypeId);
    int64(offset);
  }

  private void value(MetadataValue value) {
    switch (value) {
      case MetadataValue.Int(MetadataType type, long integer) -> integer(type, integer);
      case MetadataValue.Real(MetadataType type, double number) -> number(type, number);
      case MetadataValue.Bool(boolean flag) -> int8(flag ? 1 : 0);
      case MetadataValue.Text(String text) -> string(text);
      case MetadataValue.Ints ints -> {
        array(ints.elementType(), ints.count());
        for (long integer : ints.values()) {
          integer(ints.elementType(), integer);
        }
      }
      case MetadataValue.Reals reals -> {
        array(reals.elementType(), reals.count());
        for (double number : reals.values()) {
          number(reals.elementType(), number);
        }
      }
      case MetadataValue.Bools bools -> {
        array(MetadataType.BOOL, bools.count());
        for (boolean flag : bools.values()) {
          int8(flag ? 1 : 0);
        }
      }
      case MetadataValue.Texts texts -> {
        array(MetadataType.STRING, texts.count());
        texts.values().forEach(this::string);
      }
      case MetadataValue.Arrays arrays -> {
        array(MetadataType.ARRAY, arrays.count());
        arrays.values().forEach(this::value);
      }
    }
  }

  private void array(MetadataType elementType, int count) {
    int32(elementType.id());
    int64(count);
  }

  private void integer(MetadataType type, long value) {
    switch (type.bytes()) {
      case Byte.BYTES -> int8(value);
      case Short.BYTES -> int16(value);
      case Integer.BYTES -> int32(value);
      default -> int64(value);
    }
  }

  private void number(MetadataType type, double value) {
    if (type == MetadataType.FLOAT32) {
      int32(Float.floatToRawIntBits((float) value));
    } else {
      int64(Double.doubleToRawLongBits(value));
    }
  }

  private ByteBuffer need(int bytes) {
    if (buffer.remaining() < bytes) {
      buffer = allocate(Math.max(2 * buffer.capacity(), buffer.position() + bytes)).put(bytes());
    }
    return buffer;
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
