package dev.ridgeline.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Whole numbers as an option takes them: {@code 512}, {@code 1,2,8}, and ranges: {@code 1-4} counts
 * up, {@code 128-512+128} adds, {@code 128-1024*2} multiplies.
 */
record Numbers(List<Integer> values) {
  private static final Pattern ITEM =
      Pattern.compile("(\\d{1,9})(?:-(\\d{1,9})(?:([+*])(\\d{1,9}))?)?");
  private static final int MOST = 10_000;

  static Numbers of(int... values) {
    return new Numbers(java.util.Arrays.stream(values).boxed().toList());
  }

  /** Reads them for picocli. */
  static final class Converter implements ITypeConverter<Numbers> {
    @Override
    public Numbers convert(String text) {
      var values = new ArrayList<Integer>();
      for (String item : text.split(",", -1)) {
        Matcher m = ITEM.matcher(item.strip());
        if (!m.matches()) {
          throw refuse(text);
        }
        add(values, m, text);
      }
      return new Numbers(List.copyOf(values));
    }

    private static void add(List<Integer> values, Matcher m, String text) {
      int first = Integer.parseInt(m.group(1));
      int last = m.group(2) == null ? first : Integer.parseInt(m.group(2));
      boolean times = "*".equals(m.group(3));
      int by = m.group(4) == null ? 1 : Integer.parseInt(m.group(4));
      boolean grows = times ? by > 1 && first > 0 : by > 0;
      if (last < first || (last > first && !grows)) {
        throw refuse(text);
      }
      for (long n = first; n <= last; n = times ? n * by : n + by) {
        values.add((int) n);
        if (values.size() > MOST) {
          throw refuse(text);
        }
        if (last == first) {
          return;
        }
      }
    }

    private static TypeConversionException refuse(String text) {
      return new TypeConversionException(
          "expected numbers such as 512 or 1,2,8 or 1-4 or 128-512+128 or 128-1024*2, found '"
              + text
              + "'");
    }
  }
}
