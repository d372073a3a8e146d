package dev.ridgeline.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * The alphabet in which byte-level vocabularies are written: each byte is one printable character.
 * Bytes that print in Latin-1 stand for themselves, the other 68 for U+0100 and up, in order
 * (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, released code).
 */
final class ByteLevel {
  private static final int FIRST_SUBSTITUTE = 0x100;
  private static final byte[] BYTE_OF = new byte[FIRST_SUBSTITUTE + 68];
  private static final boolean[] KNOWN = new boolean[BYTE_OF.length];

  static {
    int substitute = FIRST_SUBSTITUTE;
    for (int b = 0; b < 256; b++) {
      boolean prints = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      int c = prints ? b : substitute++;
      BYTE_OF[c] = (byte) b;
      KNOWN[c] = true;
    }
  }

  private ByteLevel() {}

  /**
   * The bytes that {@code text[from, to)} stands for; characters outside the alphabet stand for
   * their own UTF-8, as tokens added to a vocabulary by hand are written.
   *
   * @param out receives them from {@code at} on; needs room for 3 bytes a char
   * @return the end of the bytes in {@code out}
   */
  static int decode(String text, int from, int to, byte[] out, int at) {
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c < KNOWN.length && KNOWN[c]) {
        out[at++] = BYTE_OF[c];
      } else {
        int end = Character.isHighSurrogate(c) && i + 1 < to ? i + 2 : i + 1;
        for (byte b : text.substring(i, end).getBytes(StandardCharsets.UTF_8)) {
          out[at++] = b;
        }
        i = end - 1;
      }
    }
    return at;
  }
}
