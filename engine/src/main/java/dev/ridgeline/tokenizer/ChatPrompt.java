package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.tokenizer.template.ChatTemplate;
import dev.ridgeline.tokenizer.template.Conversation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template with its tokenizer: from a conversation to the ids that the model
 * expects. What the messages hold is described at {@link Conversation}.
 */
public final class ChatPrompt {
  private static final String TEMPLATE = "tokenizer.chat_template";

  private final ChatTemplate template;
  private final Tokenizer tokenizer;

  private ChatPrompt(ChatTemplate template, Tokenizer tokenizer) {
    this.template = template;
    this.tokenizer = tokenizer;
  }

  /**
   * The chat template of a file; empty where it has none.
   *
   * @throws dev.ridgeline.tokenizer.template.TemplateException if it cannot be parsed
   */
  public static Optional<ChatPrompt> of(Metadata metadata, Tokenizer tokenizer) {
    return metadata.has(TEMPLATE)
        ? Optional.of(
            new ChatPrompt(
                ChatTemplate.parse(metadata.file(), metadata.string(TEMPLATE)), tokenizer))
        : Optional.empty();
  }

  /** Another template than the file's. */
  public static ChatPrompt of(ChatTemplate template, Tokenizer tokenizer) {
    return new ChatPrompt(template, tokenizer);
  }

  /** The template, for other clocks, limits or variables than those used here. */
  public ChatTemplate template() {
    return template;
  }

  /** The text of BOS, as templates see it; empty where the model has none. */
  public String bosText() {
    return text(tokenizer.bos());
  }

  /** The text of EOS, as templates see it; empty where the model has none. */
  public String eosText() {
    return text(tokenizer.eos());
  }

  private String text(OptionalInt id) {
    return id.isPresent() ? tokenizer.text(id.getAsInt()) : "";
  }

  /**
   * The prompt as text.
   *
   * @param tools null where none are offered
   * @param addGenerationPrompt whether it ends with the opening of the assistant's answer
   * @param variables further variables of the template
   * @throws dev.ridgeline.tokenizer.template.TemplateException if the template refuses the
   *     conversation
   */
  public String render(
      List<? extends Map<String, ?>> messages,
      @Nullable List<? extends Map<String, ?>> tools,
      boolean addGenerationPrompt,
      Map<String, ?> variables) {
    return template.render(
        new Conversation(messages, tools, addGenerationPrompt, bosText(), eosText(), variables));
  }

  /** The prompt of messages that wait for an answer, as ids. */
  public int[] encode(List<? extends Map<String, ?>> messages) {
    return encode(render(messages, null, true, Map.of()));
  }

  /** A rendered prompt as ids; BOS is put before it only if the template did not write it. */
  public int[] encode(String rendered) {
    String bos = bosText();
    boolean written = !bos.isEmpty() && rendered.startsWith(bos);
    return tokenizer.encode(rendered, written ? Tokenizer.Bos.NO : Tokenizer.Bos.AUTO, true);
  }
}
