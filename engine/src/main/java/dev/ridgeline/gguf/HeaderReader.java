package dev.ridgeline.gguf;

import static dev.ridgeline.gguf.GgufException.quote;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads the values of a header one after the other, through a buffer of fixed size: a file that
 * becomes shorter meanwhile is a short read, not a fault. Whatever a file claims is compared with
 * the bytes left in it, and with the bounds of {@link Format}, before memory is set aside for it.
 *
 * <p>{@code what} parameters name the thing read, for messages.
 */
final class HeaderReader {
  private static final int BUFFER_BYTES = 1 << 18;

  private final String file;
  private final RandomAccessFile in;
  private final long end;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private long bufferEnd;
  private int arrayElementsLeft = Format.MAX_ARRAY_ELEMENTS;

  /**
   * @param file name for messages
   * @param in the file, at its first byte
   * @param fileBytes its size
   */
  HeaderReader(String file, RandomAccessFile in, long fileBytes) {
    this.file = file;
    this.in = in;
    this.end = fileBytes;
  }

  /** Offset in the file of the next byte to read. */
  long position() {
    return bufferEnd - buffer.remaining();
  }

  /** Size of the file. */
  long end() {
    return end;
  }

  /** Bytes from here to the end of the file. */
  long left() {
    return end - position();
  }

  int int32(String what) {
    need(Integer.BYTES, what);
    return buffer.getInt();
  }

  long uint32(String what) {
    return Integer.toUnsignedLong(int32(what));
  }

  /** 64 bits as they are: above 2^63 - 1 negative, which every caller refuses. */
  long uint64(String what) {
    need(Long.BYTES, what);
    return buffer.getLong();
  }

  /**
   * A number of things that take at least {@code minimumBytes} each in what is left of the file.
   */
  int count(String what, int minimumBytes, int max) {
    long at = position();
    long count = uint64(what);
    if (count < 0 || count > left() / minimumBytes) {
      throw fail(
          at,
          "%s is %s, but the %d bytes left in the file hold at most %d",
          what,
          Long.toUnsignedString(count),
          left(),
          left() / minimumBytes);
    }
    if (count > max) {
      throw fail(at, "%s is %d; expected at most %d", what, count, max);
    }
    return (int) count;
  }

  /** A string of at most {@code maxBytes} bytes of well-formed UTF-8. */
  String string(String what, int maxBytes) {
    long at = position();
    long length = uint64(what);
    if (length < 0 || length > left()) {
      throw fail(
          at,
          "%s has length %s, but only %d bytes are left in the file",
          what,
          Long.toUnsignedString(length),
          left());
    }
    if (length > maxBytes) {
      throw fail(at, "%s has length %d; expected at most %d bytes", what, length, maxBytes);
    }
    return text((int) length, at, what);
  }

  /** A string that names something, so is not empty. */
  String name(String what, int maxBytes) {
    long at = position();
    String name = string(what, maxBytes);
    if (name.isEmpty()) {
      throw fail(at, "%s is empty", what);
    }
    return name;
  }

  /** A metadata value, which starts with the number of its type. */
  MetadataValue value(String key) {
    return value(type("the value's type"), key, 0);
  }

  private MetadataValue value(MetadataType type, String key, int depth) {
    return switch (type) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 ->
          new MetadataValue.Int(type, integer(type));
      case FLOAT32, FLOAT64 -> new MetadataValue.Real(type, number(type));
      case BOOL -> new MetadataValue.Bool(bool());
      case STRING -> new MetadataValue.Text(string("a string", Format.MAX_STRING_BYTES));
      case ARRAY -> array(key, depth + 1);
    };
  }

  private MetadataValue array(String key, int depth) {
    if (depth > Format.MAX_ARRAY_DEPTH) {
      throw fail(
          position(), "arrays of %s nest deeper than %d", quote(key), Format.MAX_ARRAY_DEPTH);
    }
    MetadataType elementType = type("the array's element type");
    int count = count("the array's length", elementType.minimumBytes(), arrayElementsLeft);
    arrayElementsLeft -= count;
    return switch (elementType) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 ->
          new MetadataValue.Ints(elementType, integers(elementType, count));
      case FLOAT32, FLOAT64 -> new MetadataValue.Reals(elementType, numbers(elementType, count));
      case BOOL -> new MetadataValue.Bools(bools(count));
      case STRING -> new MetadataValue.Texts(strings(count));
      case ARRAY -> {
        List<MetadataValue> arrays = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
          arrays.add(array(key, depth + 1));
        }
        yield new MetadataValue.Arrays(arrays);
      }
    };
  }

  private MetadataType type(String what) {
    long at = position();
    long id = uint32(what);
    return MetadataType.ofId(id)
        .orElseThrow(() -> fail(at, "%s is %d; expected 0 (UINT8) to 12 (FLOAT64)", what, id));
  }

  private long integer(MetadataType type) {
    need(type.bytes(), "an integer");
    return switch (type) {
      case UINT8 -> Byte.toUnsignedLong(buffer.get());
      case INT8 -> buffer.get();
      case UINT16 -> Short.toUnsignedLong(buffer.getShort());
      case INT16 -> buffer.getShort();
      case UINT32 -> Integer.toUnsignedLong(buffer.getInt());
      case INT32 -> buffer.getInt();
      case UINT64, INT64 -> buffer.getLong();
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw new IllegalArgumentException(type.name());
    };
  }

  private double number(MetadataType type) {
    need(type.bytes(), "a float");
    return type == MetadataType.FLOAT32 ? buffer.getFloat() : buffer.getDouble();
  }

  private boolean bool() {
    need(1, "a bool");
    byte value = buffer.get();
    if ((value & ~1) != 0) {
      throw fail(position() - 1, "a bool is %d; expected 0 or 1", Byte.toUnsignedInt(value));
    }
    return value == 1;
  }

  private long[] integers(MetadataType type, int count) {
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = integer(type);
    }
    return values;
  }

  private double[] numbers(MetadataType type, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = number(type);
    }
    return values;
  }

  private boolean[] bools(int count) {
    boolean[] values = new boolean[count];
    for (int i = 0; i < count; i++) {
      values[i] = bool();
    }
    return values;
  }

  private List<String> strings(int count) {
    String[] values = new String[count];
    for (int i = 0; i < count; i++) {
      values[i] = string("a string of the array", Format.MAX_STRING_BYTES);
    }
    return List.of(values);
  }

  private String text(int length, long at, String what) {
    checkHeaderBytes(length);
    byte[] bytes = buffer.array();
    int from = buffer.position();
    if (length <= BUFFER_BYTES) {
      need(length, what);
      from = buffer.position();
      buffer.position(from + length);
    } else {
      bytes = new byte[length];
      from = 0;
      int buffered = buffer.remaining();
      buffer.get(bytes, 0, buffered);
      fill(bytes, buffered, length - buffered);
    }
    return decode(bytes, from, length, at, what);
  }

  /**
   * Decoding replaces what is malformed by U+FFFD, so only a text with that character needs the
   * second, strict look: it may hold the character itself.
   */
  private String decode(byte[] bytes, int from, int length, long at, String what) {
    String text = new String(bytes, from, length, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0) {
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, length));
      } catch (CharacterCodingException e) {
        throw fail(at, "%s is not UTF-8: %s", what, quote(text));
      }
    }
    return text;
  }

  private void need(int bytes, String what) {
    if (buffer.remaining() >= bytes) {
      return;
    }
    long at = position();
    if (bytes > left()) {
      throw fail(at, "the file ends within %s: %d bytes expected, %d left", what, bytes, left());
    }
    checkHeaderBytes(bytes);
    buffer.compact();
    int buffered = buffer.position();
    int wanted = (int) Math.min(buffer.remaining(), end - bufferEnd);
    fill(buffer.array(), buffered, wanted);
    buffer.position(0).limit(buffered + wanted);
  }

  private void fill(byte[] into, int at, int bytes) {
    try {
      in.readFully(into, at, bytes);
    } catch (IOException e) {
      throw new GgufException(
          file, "cannot be read past byte " + bufferEnd + " (was it truncated meanwhile?)", e);
    }
    bufferEnd += bytes;
  }

  private void checkHeaderBytes(int more) {
    if (position() + more > Format.MAX_HEADER_BYTES) {
      throw fail(
          position(),
          "metadata and tensor list are longer than %d bytes, the most a header may have",
          Format.MAX_HEADER_BYTES);
    }
  }

  /** A problem at byte {@code at}; {@code format} as in {@link String#format}. */
  GgufException fail(long at, String format, Object... args) {
    return new GgufException(file, at, String.format(Locale.ROOT, format, args));
  }
}
