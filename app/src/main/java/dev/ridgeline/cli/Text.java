package dev.ridgeline.cli;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** How the command line writes values for people. */
final class Text {
  private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB"};

  private Text() {}

  /** In quotes, with line ends and tabs as escapes. */
  static String quoted(String s) {
    return "'"
        + s.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
        + "'";
  }

  /** What a token stands for; bytes that are no whole character, as {@code <0xF0>}. */
  static String piece(byte[] bytes) {
    var in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(6 * bytes.length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = decoder.decode(in, out, true);
    while (result.isError()) {
      for (int i = 0; i < result.length(); i++) {
        out.put("<0x%02X>".formatted(in.get()));
      }
      result = decoder.decode(in, out, true);
    }
    return out.flip().toString();
  }

  /** Such as {@code 905.9 MiB}. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < BINARY.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? bytes + " B" : number("%.1f %s", value, BINARY[unit]);
  }

  /** Formats with a point as the decimal separator, wherever the machine stands. */
  static String number(String format, Object... args) {
    return String.format(Locale.ROOT, format, args);
  }

  /** Three significant digits or whole numbers, such as {@code 0.53}, {@code 12.3}, {@code 456}. */
  static String significant(double value) {
    return number(value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  }

  /** Such as {@code 1.50 B} for 1.5 billion. */
  static String count(long n) {
    return n >= 1_000_000_000
        ? number("%.2f B", n / 1e9)
        : n >= 1_000_000 ? number("%.1f M", n / 1e6) : String.valueOf(n);
  }
}
