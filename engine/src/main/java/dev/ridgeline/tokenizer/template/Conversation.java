package dev.ridgeline.tokenizer.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template is usually given, in the form that Hugging Face's {@code
 * apply_chat_template} gives it.
 *
 * <p>A message is a map: {@code role} ({@code system}, {@code user}, {@code assistant}, {@code
 * tool}, ...) and {@code content}. Content is a string, null (an assistant that only calls tools)
 * or, for templates that read them, a list of parts: {@code {"type": "text", "text": ...}}, {@code
 * {"type": "image"}}. Further keys where they apply:
 *
 * <ul>
 *   <li>{@code tool_calls}: a list of {@code {"id", "type": "function", "function": {"name",
 *       "arguments"}}}. <b>{@code arguments} is the map itself</b>, not the JSON text that the HTTP
 *       protocol of OpenAI carries: parse that first, for templates iterate over it or print it
 *       with {@code tojson}, which would quote a string once more.
 *   <li>{@code tool_call_id} and {@code name} of the message in which a tool answers.
 *   <li>{@code reasoning_content} or {@code thinking}: what the assistant thought, where a template
 *       reads it.
 * </ul>
 *
 * A tool is a map, {@code {"type": "function", "function": {"name", "description", "parameters"}}},
 * with the parameters' JSON schema as nested maps in the order in which they shall be printed.
 *
 * @param tools null where none are offered: the variable is then {@code none}, not undefined
 * @param addGenerationPrompt whether the prompt ends with the opening of the assistant's answer
 * @param variables further variables, such as {@code enable_thinking}; they win over the others
 */
public record Conversation(
    List<? extends Map<String, ?>> messages,
    @Nullable List<? extends Map<String, ?>> tools,
    boolean addGenerationPrompt,
    String bosToken,
    String eosToken,
    Map<String, ?> variables) {

  /** Messages without tools, to be answered. */
  public Conversation(List<? extends Map<String, ?>> messages, String bosToken, String eosToken) {
    this(messages, null, true, bosToken, eosToken, Map.of());
  }

  /** The template's variables; {@code documents} is there too, and none. */
  public Map<String, @Nullable Object> context() {
    Map<String, @Nullable Object> context = new HashMap<>();
    context.put("messages", messages);
    context.put("tools", tools);
    context.put("documents", null);
    context.put("add_generation_prompt", addGenerationPrompt);
    context.put("bos_token", bosToken);
    context.put("eos_token", eosToken);
    context.putAll(variables);
    return context;
  }
}
