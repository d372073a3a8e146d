package dev.ridgeline.tokenizer.template;

import dev.ridgeline.tokenizer.template.Node.Block;
import java.time.Clock;
import java.time.ZoneId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template: the Jinja program of a model file that turns a conversation into a prompt.
 *
 * <p>Results and errors are those of Jinja2 3.1 as Hugging Face transformers sets it up: the
 * immutable sandbox, {@code trim_blocks}, {@code lstrip_blocks}, loop controls, the {@code
 * generation} tag, {@code tojson} as plain {@code json.dumps}, {@code raise_exception} and {@code
 * strftime_now}. Python's rules hold: {@code True} prints so, indices count code points, {@code -7
 * // 2} is -4, {@code dict.items} is the method even where the dict has a key of that name.
 * Different on purpose: integers have 64 bits and fail beyond; the tags {@code include}, {@code
 * import}, {@code extends} and {@code block}, the filters {@code random}, {@code pprint}, {@code
 * striptags}, {@code urlize} and {@code xmlattr} and the global {@code lipsum} are refused.
 *
 * <p><b>Values.</b> A template sees plain values only: {@link Map} (keys are usually strings),
 * {@link List}, {@link String}, {@link Long} (or another integer type), {@link Double}, {@link
 * Boolean} and null, which is Python's {@code None}. They are copied before rendering, so a
 * template can neither change nor reach anything else; nothing is looked up by reflection. What a
 * conversation consists of is described at {@link Conversation}.
 *
 * <p>Instances are immutable and may be shared by threads.
 */
public final class ChatTemplate {
  private final String name;
  private final Block body;
  private final RenderLimits limits;
  private final Clock clock;

  private ChatTemplate(String name, Block body, RenderLimits limits, Clock clock) {
    this.name = name;
    this.body = body;
    this.limits = limits;
    this.clock = clock;
  }

  /**
   * Parses a template; {@code name} is what errors call it.
   *
   * @throws TemplateException if {@code source} is no template, or uses what is refused
   */
  public static ChatTemplate parse(String name, String source) {
    try {
      return new ChatTemplate(
          name, Parser.parse(source), RenderLimits.DEFAULT, Clock.system(ZoneId.systemDefault()));
    } catch (Fault fault) {
      throw new TemplateException(name, fault);
    }
  }

  /** This template with other limits. */
  public ChatTemplate withLimits(RenderLimits limits) {
    return new ChatTemplate(name, body, limits, clock);
  }

  /** This template with another clock for {@code strftime_now}. */
  public ChatTemplate withClock(Clock clock) {
    return new ChatTemplate(name, body, limits, clock);
  }

  public String name() {
    return name;
  }

  /**
   * The prompt for a conversation.
   *
   * @throws TemplateException if the template fails, on purpose or not, or exceeds its limits
   */
  public String render(Conversation conversation) {
    return render(conversation.context());
  }

  /**
   * What the template writes when its variables are those of {@code context}.
   *
   * @throws TemplateException if the template fails, on purpose or not, or exceeds its limits
   * @throws IllegalArgumentException if {@code context} holds anything but plain values
   */
  public String render(Map<String, ? extends @Nullable Object> context) {
    Scope variables = new Scope(Globals.scope());
    context.forEach(
        (key, value) -> variables.set(key, Values.fromJava(value, Values.MAX_CONTEXT_DEPTH)));
    try {
      return new Interpreter(limits, clock).render(body, variables);
    } catch (Fault fault) {
      throw new TemplateException(name, fault);
    }
  }
}
