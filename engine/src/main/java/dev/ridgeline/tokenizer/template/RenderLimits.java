package dev.ridgeline.tokenizer.template;

/**
 * What one rendering of a template may use; beyond it the rendering fails with a {@link
 * TemplateException} of kind {@code LimitError}.
 *
 * @param steps one for an evaluated node or a reference in a list, 8 for a new string, list or
 *     pair, one more for every 8 characters built and 64 characters searched; this bounds the time
 *     and, at about 20 bytes a step, the memory
 * @param outputChars UTF-16 units of the rendered text and of every single string on the way
 * @param depth how deep statements, expressions, macro calls and values may nest; a level takes up
 *     to about 1 KB of the thread's stack
 */
public record RenderLimits(long steps, int outputChars, int depth) {
  /** Far above what conversations of a million tokens need, and about a second of work. */
  public static final RenderLimits DEFAULT = new RenderLimits(20_000_000, 16 << 20, 400);

  public RenderLimits {
    if (steps < 1 || outputChars < 1 || depth < 1) {
      throw new IllegalArgumentException(
          "every limit must be at least 1: steps %d, outputChars %d, depth %d"
              .formatted(steps, outputChars, depth));
    }
  }
}
