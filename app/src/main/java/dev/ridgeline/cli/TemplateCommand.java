package dev.ridgeline.cli;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.Tokenizer;
import dev.ridgeline.tokenizer.template.ChatTemplate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;

/** {@code ridgeline template}. */
@Command(
    name = "template",
    mixinStandardHelpOptions = true,
    description = {
      "The prompt that a chat template makes of a conversation.",
      "The conversation is a JSON list of messages, or an object with messages and whatever else the"
          + " template reads: tools, add_generation_prompt (default: true), bos_token, eos_token, ..."
    })
final class TemplateCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "MODEL|FILE.jinja",
      description = "A GGUF file with a chat template, or the template itself.")
  private Path source = Path.of("");

  @Option(
      names = "--conversation",
      required = true,
      paramLabel = "F.json",
      description = "The conversation.")
  private Path conversation = Path.of("");

  @Option(
      names = "--now",
      paramLabel = "TIME",
      description =
          "Local date and time for templates that print it, such as 2026-11-20T12:00. Default: now.")
  private @Nullable LocalDateTime now;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Spec private CommandSpec spec;

  private record Output(String prompt) {}

  @Override
  public Integer call() throws IOException {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>();
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", true);
    String prompt = template(variables).render(withConversation(variables));
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      Json.print(out, new Output(prompt));
    } else {
      out.print(prompt);
      out.flush();
    }
    return 0;
  }

  /** The template; of a model, BOS and EOS become variables. */
  private ChatTemplate template(Map<String, @Nullable Object> variables) throws IOException {
    ChatTemplate template =
        source.toString().endsWith(".gguf") ? ofModel(variables) : ofFile(variables);
    if (now == null) {
      return template;
    }
    ZoneId zone = ZoneId.systemDefault();
    return template.withClock(Clock.fixed(now.atZone(zone).toInstant(), zone));
  }

  private ChatTemplate ofFile(Map<String, @Nullable Object> variables) throws IOException {
    variables.put("bos_token", "");
    variables.put("eos_token", "");
    return ChatTemplate.parse(source.getFileName().toString(), TextFile.read(source));
  }

  private ChatTemplate ofModel(Map<String, @Nullable Object> variables) {
    try (GgufFile file = GgufFile.open(source)) {
      ChatPrompt prompt =
          ChatPrompt.of(file.metadata(), Tokenizer.of(file.metadata()))
              .orElseThrow(
                  () ->
                      new Errors.InputException(
                          source + ": has no chat template (tokenizer.chat_template)"));
      variables.put("bos_token", prompt.bosText());
      variables.put("eos_token", prompt.eosText());
      return prompt.template();
    }
  }

  private Map<String, @Nullable Object> withConversation(Map<String, @Nullable Object> variables)
      throws IOException {
    try {
      var reader = Json.MAPPER.reader().with(DeserializationFeature.USE_LONG_FOR_INTS);
      JsonNode json = reader.readTree(Files.readAllBytes(conversation));
      if (json.isArray()) {
        variables.put("messages", reader.forType(new TypeReference<Object>() {}).readValue(json));
      } else if (json.isObject() && json.path("messages").isArray()) {
        Map<String, @Nullable Object> given =
            reader.forType(new TypeReference<Map<String, Object>>() {}).readValue(json);
        variables.putAll(given);
      } else {
        throw new Errors.InputException(
            conversation + ": expected a list of messages, or an object with the list 'messages'");
      }
      return variables;
    } catch (JacksonException e) {
      throw new Errors.InputException(conversation + ": not JSON: " + e.getOriginalMessage());
    }
  }
}
