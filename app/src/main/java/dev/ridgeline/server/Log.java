package dev.ridgeline.server;

import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** One line for each event: for people, or as JSON. Values are what the caller gives, no more. */
final class Log {
  private final PrintStream out;
  private final boolean json;

  Log(PrintStream out, boolean json) {
    this.out = out;
    this.json = json;
  }

  /** Something that happened as it should. */
  void info(String event, Map<String, ? extends @Nullable Object> fields) {
    write("info", event, fields);
  }

  /** Something that an operator should look at. */
  void warn(String event, Map<String, ? extends @Nullable Object> fields) {
    write("warn", event, fields);
  }

  private void write(String level, String event, Map<String, ? extends @Nullable Object> fields) {
    String now = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    if (json) {
      var line = new LinkedHashMap<String, @Nullable Object>();
      line.put("time", now);
      line.put("level", level);
      line.put("event", event);
      line.putAll(fields);
      out.println(Json.text(line));
    } else {
      var line = new StringJoiner(" ");
      line.add(now)
          .add(
              level.equals("info")
                  ? event
                  : level.toUpperCase(java.util.Locale.ROOT) + " " + event);
      fields.forEach(
          (key, value) -> {
            if (value != null) {
              line.add(key + "=" + quoted(value.toString()));
            }
          });
      out.println(line);
    }
  }

  /** Line ends and control characters in what clients sent must not forge lines. */
  private static String quoted(String value) {
    boolean plain = !value.isEmpty() && value.chars().allMatch(c -> c > ' ' && c != '"' && c < 127);
    return plain ? value : Json.text(value);
  }
}
