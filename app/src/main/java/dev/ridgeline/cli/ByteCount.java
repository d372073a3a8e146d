package dev.ridgeline.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Bytes as people write them: {@code 4096}, {@code 512M}, {@code 1.5G}; powers of 1,024. */
final class ByteCount implements ITypeConverter<Long> {
  private static final Pattern FORM =
      Pattern.compile("(\\d{1,15}(?:\\.\\d{1,6})?)([kmgt]?)(?:i?b)?");

  @Override
  public Long convert(String text) {
    Matcher matcher = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new TypeConversionException(
          "expected bytes such as 4096, 512M or 2G, found '" + text + "'");
    }
    String unit = matcher.group(2);
    int shift = unit.isEmpty() ? 0 : 10 * (1 + "kmgt".indexOf(unit));
    return (long) Math.min(0x1p62, Double.parseDouble(matcher.group(1)) * (1L << shift));
  }
}
