package dev.ridgeline.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Text from token ids as they come. A character whose bytes are spread over tokens is held until
 * the last one is there; bytes that are no UTF-8 become U+FFFD, one for each maximal invalid
 * sequence. The pieces returned, joined, are what decoding all ids at once gives. Not thread-safe.
 */
public final class StreamDecoder {
  private final Tokenizer tokenizer;
  private final boolean skipSpecial;
  private boolean dropSpace;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** The begin of a character, at most 3 bytes, ready to be read. */
  private ByteBuffer held = ByteBuffer.allocate(0);

  StreamDecoder(Tokenizer tokenizer, boolean atStart, boolean skipSpecial) {
    this.tokenizer = tokenizer;
    this.skipSpecial = skipSpecial;
    dropSpace = atStart && tokenizer.dropsFirstSpace();
  }

  /**
   * The text that {@code id} completes; empty while a character is incomplete.
   *
   * @throws IllegalArgumentException if the id is not in the vocabulary
   */
  public String accept(int id) {
    if (skipSpecial && tokenizer.isSkipped(id)) {
      return "";
    }
    byte[] bytes = tokenizer.bytes(id);
    int from = dropSpace && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
    dropSpace &= bytes.length == 0;
    ByteBuffer in = ByteBuffer.allocate(held.remaining() + bytes.length - from);
    in.put(held).put(bytes, from, bytes.length - from).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining());
    utf8.reset().decode(in, out, false);
    held = in;
    return out.flip().toString();
  }

  /** U+FFFD if the last character never became complete, else nothing; ends the text. */
  public String finish() {
    boolean incomplete = held.hasRemaining();
    held = ByteBuffer.allocate(0);
    return incomplete ? "\uFFFD" : "";
  }
}
