package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.tokenizer.ChatPrompt;
import dev.ridgeline.tokenizer.template.ChatTemplate;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a conversation comes to: a prompt, how to generate, and how to read the text that comes.
 *
 * @param prompt ids
 * @param params with the constraints of the format and of the tools
 * @param readers makes one for each answer
 */
record ChatPlan(int[] prompt, GenerateParams params, Supplier<Delta.Reader> readers) {
  /** For models without a template: they continue a text, which is what they are given. */
  private static final ChatTemplate PLAIN =
      ChatTemplate.parse("plain", "{% for m in messages %}{{ m.content }}{{ '\\n' }}{% endfor %}");

  Delta.Reader reader() {
    return readers.get();
  }

  static ChatPlan of(Exchange exchange, Fields body, GenerateParams params) {
    Engine engine = exchange.core().engine();
    ChatPrompt chat = chatPrompt(engine);
    List<Map<String, Object>> messages = ChatMessages.read(body);
    int[] prompt = chat.encode(render(chat, body, messages, List.of()));
    return new ChatPlan(prompt, Constraints.apply(exchange, body, params), Delta.Reader::plain);
  }

  /** The model's template, or one that puts the messages one after the other. */
  static ChatPrompt chatPrompt(Engine engine) {
    return engine.chatPrompt().orElseGet(() -> ChatPrompt.of(PLAIN, engine.tokenizer()));
  }

  static String render(
      ChatPrompt chat,
      Fields body,
      List<Map<String, Object>> messages,
      List<Map<String, Object>> tools) {
    Fields variables = body.fields("chat_template_kwargs");
    return chat.render(
        messages,
        tools.isEmpty() ? null : tools,
        body.bool("add_generation_prompt", true),
        variables == null ? Map.of() : variables.asMap());
  }
}
