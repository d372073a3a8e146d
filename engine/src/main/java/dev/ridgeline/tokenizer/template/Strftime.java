package dev.ridgeline.tokenizer.template;

import java.time.Clock;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** C's {@code strftime} in the C locale, with the flags of GNU's: {@code - _ 0 ^}. */
final class Strftime {
  private Strftime() {}

  static String format(Clock clock, String format, Budget budget) {
    ZonedDateTime time = ZonedDateTime.now(clock);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char flag = "-_0^".indexOf(format.charAt(i + 1)) >= 0 ? format.charAt(++i) : 0;
      if (i + 1 == format.length()) {
        return out.append('%').append(flag).toString();
      }
      budget.make(4); // formatting dates is slow
      char directive = format.charAt(++i);
      String text = directive(time, directive, flag);
      out.append(flag == '^' ? text.toUpperCase(Locale.ROOT) : text);
    }
    return out.toString();
  }

  private static String directive(ZonedDateTime t, char directive, char flag) {
    int week = t.getDayOfWeek().getValue() % 7; // Sunday is 0
    return switch (directive) {
      case 'Y' -> number(t.getYear(), 1, '0', flag);
      case 'C' -> number(t.getYear() / 100, 2, '0', flag);
      case 'y' -> number(t.getYear() % 100, 2, '0', flag);
      case 'm' -> number(t.getMonthValue(), 2, '0', flag);
      case 'd' -> number(t.getDayOfMonth(), 2, '0', flag);
      case 'e' -> number(t.getDayOfMonth(), 2, ' ', flag);
      case 'H' -> number(t.getHour(), 2, '0', flag);
      case 'k' -> number(t.getHour(), 2, ' ', flag);
      case 'I' -> number(t.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, '0', flag);
      case 'l' -> number(t.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, ' ', flag);
      case 'M' -> number(t.getMinute(), 2, '0', flag);
      case 'S' -> number(t.getSecond(), 2, '0', flag);
      case 'f' -> "%06d".formatted(t.getNano() / 1000);
      case 'j' -> number(t.getDayOfYear(), 3, '0', flag);
      case 'U' -> number((t.getDayOfYear() + 6 - week) / 7, 2, '0', flag);
      case 'W' -> number((t.getDayOfYear() + 6 - (week + 6) % 7) / 7, 2, '0', flag);
      case 'V' -> number(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
      case 'G' -> number(t.get(IsoFields.WEEK_BASED_YEAR), 1, '0', flag);
      case 'u' -> Integer.toString(t.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(week);
      case 's' -> Long.toString(t.toEpochSecond());
      case 'a' -> pattern(t, "EEE");
      case 'A' -> pattern(t, "EEEE");
      case 'b', 'h' -> pattern(t, "MMM");
      case 'B' -> pattern(t, "MMMM");
      case 'p' -> t.getHour() < 12 ? "AM" : "PM";
      case 'P' -> t.getHour() < 12 ? "am" : "pm";
      case 'c' -> pattern(t, "EEE MMM ppd HH:mm:ss yyyy");
      case 'x', 'D' -> pattern(t, "MM/dd/yy");
      case 'X', 'T' -> pattern(t, "HH:mm:ss");
      case 'r' -> pattern(t, "hh:mm:ss a");
      case 'R' -> pattern(t, "HH:mm");
      case 'F' -> pattern(t, "yyyy-MM-dd");
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      case 'z' -> isLocal(t) ? "" : pattern(t, "xx");
      case 'Z' -> isLocal(t) ? "" : pattern(t, "zzz");
      default -> "%" + (flag == 0 ? "" : flag) + directive;
    };
  }

  /** Python's {@code datetime.now()} knows no zone; a clock in UTC stands for that. */
  private static boolean isLocal(ZonedDateTime time) {
    return time.getZone().equals(ZoneOffset.UTC);
  }

  private static String number(int value, int width, char padding, char flag) {
    String digits = Integer.toString(value);
    char fill = flag == '_' ? ' ' : flag == '0' ? '0' : padding;
    return flag == '-'
        ? digits
        : Character.toString(fill).repeat(Math.max(0, width - digits.length())) + digits;
  }

  private static String pattern(ZonedDateTime time, String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
