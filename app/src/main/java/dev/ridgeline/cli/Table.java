package dev.ridgeline.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Rows under headings, as aligned text, Markdown or CSV. Columns of numbers are right-aligned. */
final class Table {
  private final List<String> headings;
  private final List<List<String>> rows = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  Table(String... headings) {
    this.headings = List.of(headings);
  }

  void add(Object... cells) {
    rows.add(Arrays.stream(cells).map(String::valueOf).toList());
  }

  /** A line under the table; CSV, which has no place for it, leaves it out. */
  void note(String line) {
    notes.add(line);
  }

  /** As text, CSV or Markdown; a command that has another format prints it by itself. */
  void print(PrintWriter out, TableFormat format) {
    if (format != TableFormat.TEXT && format != TableFormat.CSV && format != TableFormat.MD) {
      throw new Errors.InputException(
          "--format: this command does not print "
              + format.name().toLowerCase(Locale.ROOT)
              + "; see its --help");
    }
    if (format == TableFormat.CSV) {
      out.println(csv(headings));
      rows.forEach(row -> out.println(csv(row)));
      return;
    }
    boolean markdown = format == TableFormat.MD;
    int[] widths = widths();
    out.println(line(headings, widths, markdown));
    if (markdown) {
      out.println(rule(widths));
    }
    rows.forEach(row -> out.println(line(row, widths, markdown)));
    notes.forEach(note -> out.println((markdown ? "\n" : "") + note));
  }

  private static String csv(List<String> cells) {
    return String.join(
        ",",
        cells.stream()
            .map(c -> c.matches("[^\",\\n]*") ? c : "\"" + c.replace("\"", "\"\"") + "\"")
            .toList());
  }

  private int[] widths() {
    int[] widths = headings.stream().mapToInt(String::length).toArray();
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }

  private boolean isNumber(int column) {
    return !rows.isEmpty() && rows.stream().allMatch(r -> r.get(column).matches("[-0-9.]+( %.*)?"));
  }

  private String line(List<String> cells, int[] widths, boolean markdown) {
    var line = new StringBuilder(markdown ? "| " : "");
    for (int i = 0; i < widths.length; i++) {
      String pad = " ".repeat(widths[i] - cells.get(i).length());
      line.append(isNumber(i) ? pad + cells.get(i) : cells.get(i) + pad);
      line.append(markdown ? (i < widths.length - 1 ? " | " : " |") : "  ");
    }
    return line.toString().stripTrailing();
  }

  private String rule(int[] widths) {
    var line = new StringBuilder("|");
    for (int i = 0; i < widths.length; i++) {
      line.append("-".repeat(widths[i] + 1)).append(isNumber(i) ? ":|" : "-|");
    }
    return line.toString();
  }
}
