package dev.ridgeline.tokenizer.template;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;

/** What Python's Jinja2 made of many small templates: see dev/record-jinja-cases.py. */
record JinjaCases(Map<String, Object> context, List<Case> cases) {
  /** Either the text, or the error and its line. */
  record Case(String template, @Nullable String text, @Nullable String error, int line) {}

  static final Clock NOON = Clock.fixed(Instant.parse("2026-11-20T12:00:00Z"), ZoneOffset.UTC);

  static JinjaCases load() {
    try (InputStream in =
        Objects.requireNonNull(JinjaCases.class.getResourceAsStream("jinja-cases.json"))) {
      return new ObjectMapper().readValue(in, JinjaCases.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
