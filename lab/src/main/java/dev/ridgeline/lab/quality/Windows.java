package dev.ridgeline.lab.quality;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Text in windows of equal length; each is read from an empty context. A window's ids from {@code
 * firstScored + 1} on are predicted from all ids of the window before them and scored.
 *
 * @param ids {@code [count][context]}
 * @param firstScored position whose logits are the first to be scored
 */
@SuppressWarnings("ArrayRecordComponent") // handed over to one reader, never compared
public record Windows(int[][] ids, int firstScored) {
  /** Rejects windows of unequal length, and those without anything to score. */
  public Windows {
    if (ids.length == 0) {
      throw new IllegalArgumentException("no windows");
    }
    int context = ids[0].length;
    if (Arrays.stream(ids).anyMatch(w -> w.length != context)) {
      throw new IllegalArgumentException("windows of unequal length");
    }
    if (firstScored < 0 || firstScored > context - 2) {
      throw new IllegalArgumentException(
          "windows of %d tokens, scored from position %d: nothing to score"
              .formatted(context, firstScored));
    }
  }

  /**
   * Cuts {@code tokens} into as many whole windows as there are, at most {@code most}, and scores
   * the second half of each, as llama.cpp's perplexity does: what a token is predicted from is then
   * at least half a window.
   *
   * @param context tokens of a window
   * @param bos stands in for the first token of each window, where the model expects it
   * @param most 0 = all
   * @throws IllegalArgumentException if the tokens do not fill a window
   */
  public static Windows halfScored(int[] tokens, int context, OptionalInt bos, int most) {
    if (context < 4) {
      throw new IllegalArgumentException("context: expected at least 4, found " + context);
    }
    int whole = tokens.length / context;
    if (whole == 0) {
      throw new IllegalArgumentException(
          "the text has %d tokens; one window of %d needs more; give a longer text or a smaller --ctx"
              .formatted(tokens.length, context));
    }
    int[][] ids = new int[most == 0 ? whole : Math.min(whole, most)][];
    for (int w = 0; w < ids.length; w++) {
      ids[w] = Arrays.copyOfRange(tokens, w * context, (w + 1) * context);
      int first = w * context;
      ids[w][0] = bos.orElse(tokens[first]);
    }
    return new Windows(ids, context / 2);
  }

  /** How many. */
  public int count() {
    return ids.length;
  }

  /** Tokens of each. */
  public int context() {
    return ids[0].length;
  }

  /** Scored tokens of each. */
  public int scored() {
    return context() - 1 - firstScored;
  }
}
