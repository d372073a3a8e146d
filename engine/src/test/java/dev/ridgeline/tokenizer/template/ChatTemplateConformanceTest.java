package dev.ridgeline.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.ridgeline.testing.Shared;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.ObjectMapper;

/** Released models' templates against what Python's Jinja2 made of them. */
class ChatTemplateConformanceTest {
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-11-20T12:00:00Z"), ZoneOffset.UTC);

  @TestFactory
  Stream<DynamicContainer> rendersReleasedTemplatesAsJinja2Does() throws IOException {
    Path folder = Shared.path("conformance/templates");
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".jinja"))
          .sorted()
          .map(ChatTemplateConformanceTest::cases)
          .toList()
          .stream();
    }
  }

  private static DynamicContainer cases(Path template) {
    String name = String.valueOf(template.getFileName());
    try {
      ChatTemplate parsed = ChatTemplate.parse(name, Files.readString(template)).withClock(NOON);
      Path cases = template.resolveSibling(name.replace(".jinja", ".json"));
      List<Map<String, Object>> all =
          new ObjectMapper().readValue(Files.readString(cases), new TypeReference<>() {});
      return dynamicContainer(name, all.stream().map(test -> check(parsed, test)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static DynamicTest check(ChatTemplate template, Map<String, Object> test) {
    Map<String, Object> context = new LinkedHashMap<>(test);
    Object expected =
        context.containsKey("error") ? context.remove("error") : context.remove("expected");
    context.putIfAbsent("tools", null); // as Hugging Face passes it
    return dynamicTest(
        String.valueOf(context.remove("case")),
        () -> assertThat(outcome(template, context)).isEqualTo(expected));
  }

  private static String outcome(ChatTemplate template, Map<String, Object> context) {
    try {
      return template.render(context);
    } catch (TemplateException e) {
      return e.kind() + ": " + e.detail();
    }
  }
}
